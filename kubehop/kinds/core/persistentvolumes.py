"""Persistent volumes: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import volume_rules
from kubehop.kinds.core.pod_defaults import volume_source
from kubehop.kinds.core.volumes import access_modes, phase, storage_class
from kubehop.kinds.defaulting import fill, struct
from kubehop.kinds.printing import AGE, NAME, UNSET, Column, age, at, documented, name
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import timestamps
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    claim = spec.get("claimRef")
    return [
        name(obj),
        at(spec, "capacity", "storage") or "0",
        access_modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy") or "",
        phase(obj),
        f"{claim.get('namespace') or ''}/{claim.get('name') or ''}" if claim else "",
        storage_class(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        at(obj, "status", "reason") or "",
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Capacity", "core.v1.PersistentVolumeSpec.capacity"),
        documented("Access Modes", "core.v1.PersistentVolumeSpec.accessModes"),
        documented("Reclaim Policy", "core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy"),
        documented("Status", "core.v1.PersistentVolumeStatus.phase"),
        documented("Claim", "core.v1.PersistentVolumeSpec.claimRef"),
        Column("StorageClass", description="StorageClass of the pv"),
        Column("VolumeAttributesClass", description="VolumeAttributesClass of the pv"),
        documented("Reason", "core.v1.PersistentVolumeStatus.reason"),
        AGE,
        documented("VolumeMode", "core.v1.PersistentVolumeSpec.volumeMode", priority=1),
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Volumes begin pending, and are kept when their claim goes."""

    update_steps = (Step.METADATA, Step.CHECK, Step.METADATA, Step.CHECK, Step.CHANGES)

    def default(self, obj: Object) -> None:
        """Fill in what happens to the volume and how it is used."""
        fill(struct(obj, "status"), phase="Pending")
        spec = struct(obj, "spec")
        fill(spec, persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
        volume_source(spec)

    def on_create(self, obj: Object) -> None:
        """Start pending, from now on."""
        obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": timestamps.now()}

    def check(self, obj: Object) -> Errors:
        """Check the volume."""
        yield from volume_rules.persistent_volume(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep what the volume is made of."""
        yield from volume_rules.volume_changes(new, old)
