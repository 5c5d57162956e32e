"""PodNodeSelector: the annotation of a namespace selects the nodes of its pods.

Source of the behaviour: plugin/pkg/admission/podnodeselector/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery import names, objects, status
from services.admission.attributes import CREATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugin import Change, Scoped, forbidden
from services.admission.pods import PODS, spec_of

ANNOTATION: Final = "scheduler.alpha.kubernetes.io/node-selector"


class PodNodeSelector(Scoped):
    """See the module."""

    name: Final = "PodNodeSelector"
    operations = frozenset({CREATE})
    places = frozenset({PODS})

    def __init__(self, cluster: Cluster) -> None:
        self._namespaces = Lookup.of(cluster, "", "namespaces")

    async def admit(self, attributes: Attributes) -> Change | None:
        """Merge the selector of the namespace into that of the pod; 403 where they differ."""
        namespace = await self._namespaces.get(attributes.namespace)
        if namespace is None:
            raise status.not_found("", "namespaces", attributes.namespace)
        text = objects.annotations(namespace).get(ANNOTATION)
        if not text:
            return None
        wanted = self._parse(attributes, text)
        spec = spec_of(attributes.object)
        present = spec.get("nodeSelector") or {}
        if any(present.get(key, value) != value for key, value in wanted.items()):
            raise forbidden(attributes, "pod node label selector conflicts with its namespace node label selector")
        merged = {**wanted, **present}
        if merged == present:
            return None
        spec["nodeSelector"] = merged
        return Change("node selector of the namespace")

    @staticmethod
    def _parse(attributes: Attributes, text: str) -> dict[str, str]:
        selector: dict[str, str] = {}
        for part in text.split(","):
            key, equals, value = part.partition("=")
            if not equals or "=" in value:
                raise status.unknown(f"invalid selector: [{part}]")
            problems = names.label_key(key.strip()) or names.label_value(value.strip())
            if problems:
                raise forbidden(attributes, problems[0])
            selector[key.strip()] = value.strip()
        return selector
