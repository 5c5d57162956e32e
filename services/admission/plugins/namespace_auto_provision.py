"""NamespaceAutoProvision: a namespace that is missing is made when something is created in it.

Source of the behaviour: plugin/pkg/admission/namespace/autoprovision/admission.go.
"""

from __future__ import annotations

import uuid
from typing import Final

from kubehop.machinery import timestamps
from kubehop.machinery.objects import Object
from kubehop.pb.admission.v1 import Operation
from services.admission.attributes import CREATE, Attributes
from services.admission.namespaced import Namespaced
from services.admission.plugin import Change


class NamespaceAutoProvision(Namespaced):
    """See the module."""

    name: Final = "NamespaceAutoProvision"

    def handles(self, operation: Operation) -> bool:
        """Creation."""
        return operation == CREATE

    async def admit(self, attributes: Attributes) -> Change | None:
        """Make the namespace, unless nothing is to be stored; the object stays as it is."""
        if attributes.dry_run or self.exempt(attributes):
            return None
        name = attributes.namespace
        if self.namespaces.replica.items.get(("", name)) is None:
            await self.cluster.create("", "namespaces", "", name, _namespace(name))
        return None


def _namespace(name: str) -> Object:
    """A namespace as the API would have made it."""
    return {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "uid": str(uuid.uuid4()),
            "creationTimestamp": timestamps.now(),
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
