"""StorageObjectInUseProtection: volumes, claims and attribute classes go only when nobody uses them any more.

The finalizer is put on here and taken off by a controller. Source of the behaviour:
plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery.objects import ensure_metadata
from services.admission.attributes import CREATE, Attributes
from services.admission.plugin import Change, Scoped

FINALIZERS: Final = {
    ("", "persistentvolumes", ""): "kubernetes.io/pv-protection",
    ("", "persistentvolumeclaims", ""): "kubernetes.io/pvc-protection",
    ("storage.k8s.io", "volumeattributesclasses", ""): "kubernetes.io/vac-protection",
}


class StorageObjectInUseProtection(Scoped):
    """See the module."""

    name: Final = "StorageObjectInUseProtection"
    operations = frozenset({CREATE})
    places = frozenset(FINALIZERS)

    async def admit(self, attributes: Attributes) -> Change | None:
        """Add the finalizer of the kind."""
        finalizer = FINALIZERS[attributes.group, attributes.resource, attributes.subresource]
        meta = ensure_metadata(attributes.object)
        present = meta.get("finalizers") or []
        if finalizer in present:
            return None
        meta["finalizers"] = [*present, finalizer]
        return Change(f"finalizer {finalizer}")
