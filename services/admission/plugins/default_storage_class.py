"""DefaultStorageClass: a claim without a class gets the default one.

Source of the behaviour: plugin/pkg/admission/storage/storageclass/setdefault/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery.objects import metadata
from services.admission.attributes import CREATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import newest
from services.admission.plugin import Change, Scoped
from services.admission.storage_classes import CLAIMS, GROUP, RESOURCE, has_class, is_default


class DefaultStorageClass(Scoped):
    """See the module."""

    name: Final = "DefaultStorageClass"
    operations = frozenset({CREATE})
    places = frozenset({CLAIMS})

    def __init__(self, cluster: Cluster) -> None:
        self._classes = cluster.replica(GROUP, RESOURCE)

    async def admit(self, attributes: Attributes) -> Change | None:
        """Name the default class, where there is one and the claim names none."""
        claim = attributes.object
        if has_class(claim):
            return None
        default = newest(self._classes.items.values(), is_default)
        if default is None:
            return None
        name = metadata(default)["name"]
        claim["spec"] = {**(claim.get("spec") or {}), "storageClassName": name}
        return Change(f"storage class {name}")
