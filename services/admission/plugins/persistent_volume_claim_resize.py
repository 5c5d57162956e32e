"""PersistentVolumeClaimResize: a claim grows only once it is bound, and only where its class allows that.

Source of the behaviour: plugin/pkg/admission/storage/persistentvolume/resize/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery import quantity
from kubehop.machinery.objects import Object, nested
from kubehop.machinery.quantity import Quantity
from services.admission.attributes import UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugin import Scoped, forbidden
from services.admission.storage_classes import CLAIMS, GROUP, RESOURCE, class_of


class PersistentVolumeClaimResize(Scoped):
    """See the module."""

    name: Final = "PersistentVolumeClaimResize"
    operations = frozenset({UPDATE})
    places = frozenset({CLAIMS})

    def __init__(self, cluster: Cluster) -> None:
        self._classes = Lookup.of(cluster, GROUP, RESOURCE)

    async def validate(self, attributes: Attributes) -> None:
        """Refuse growth of what is not bound or may not grow."""
        claim, old = attributes.object, attributes.old_object
        if not _requested(claim) > _requested(old):
            return
        if nested(old, "status", "phase") != "Bound":
            raise forbidden(attributes, "Only bound persistent volume claims can be expanded")
        name = class_of(claim)
        if name and name == class_of(old):
            found = await self._classes.get(name)
            if found is not None and found.get("allowVolumeExpansion"):
                return
        raise forbidden(
            attributes,
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must"
            " support resize",
        )


def _requested(claim: Object) -> Quantity:
    return quantity.parse(str(nested(claim, "spec", "resources", "requests", "storage") or "0"))
