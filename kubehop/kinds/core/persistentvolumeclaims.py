"""Persistent volume claims: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import volume_rules
from kubehop.kinds.core.volumes import access_modes, phase, storage_class
from kubehop.kinds.defaulting import fill, struct
from kubehop.kinds.printing import AGE, NAME, UNSET, Column, age, at, documented, name
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    volume = spec.get("volumeName") or ""
    return [
        name(obj),
        phase(obj),
        volume,
        (at(status, "capacity", "storage") or "0") if volume else "",
        access_modes(status.get("accessModes")) if volume else "",
        storage_class(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Status", "core.v1.PersistentVolumeClaimStatus.phase"),
        documented("Volume", "core.v1.PersistentVolumeClaimSpec.volumeName"),
        documented("Capacity", "core.v1.PersistentVolumeClaimStatus.capacity"),
        documented("Access Modes", "core.v1.PersistentVolumeClaimStatus.accessModes"),
        Column("StorageClass", description="StorageClass of the pvc"),
        Column("VolumeAttributesClass", description="VolumeAttributesClass of the pvc"),
        AGE,
        documented("VolumeMode", "core.v1.PersistentVolumeClaimSpec.volumeMode", priority=1),
    ),
    cells=_cells,
)


def default_claim(obj: Object) -> None:
    """Fill in a claim, or the template of one. Changes it."""
    fill(struct(obj, "status"), phase="Pending")
    fill(struct(obj, "spec"), volumeMode="Filesystem")


_SOURCES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


def same_source(spec: Object) -> None:
    """Let dataSource and its newer name dataSourceRef say the same. Changes the claim's spec."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is None and (source.get("apiGroup") or "", source.get("kind")) not in _SOURCES:
        # what dataSource could not name when it was new is dropped without a word
        del spec["dataSource"]
        return
    if source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif source is None and reference is not None and not reference.get("namespace"):
        spec["dataSource"] = dict(reference)


class STRATEGY(Strategy):
    """Claims begin pending."""

    update_steps = (Step.METADATA, Step.CHECK, Step.METADATA_UPDATE, Step.CHANGES)

    def default(self, obj: Object) -> None:
        """Fill in how the volume is used."""
        default_claim(obj)

    def on_create(self, obj: Object) -> None:
        """Start pending, with the two names of the data's source saying the same."""
        obj["status"] = {"phase": "Pending"}
        same_source(struct(obj, "spec"))

    def check(self, obj: Object) -> Errors:
        """Check the claim."""
        yield from volume_rules.claim(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep what is claimed, but for its size."""
        yield from volume_rules.claim_changes(new, old)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check what the claim got."""
        _ = old
        if subresource == "status":
            yield from volume_rules.claim_status(new)
