"""The common case of a plugin that looks at whatever has a namespace.

Base of the plugins NamespaceExists and NamespaceAutoProvision.
"""

from __future__ import annotations

from services.admission.attributes import Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup


class Namespaced:
    """Looks at whatever has a namespace."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.namespaces = Lookup.of(cluster, "", "namespaces")

    def concerns(self, group: str, resource: str, subresource: str) -> bool:  # noqa: ARG002 - the Protocol's form
        """Every resource: the chain cannot know here which have a namespace."""
        return True

    @staticmethod
    def exempt(attributes: Attributes) -> bool:
        """Whether the request has no namespace, or is about one."""
        return not attributes.namespace or (attributes.kind == "Namespace" and not attributes.kind_group)
