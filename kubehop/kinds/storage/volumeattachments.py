"""Volume attachments: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name(obj),
        spec.get("attacher") or "",
        at(spec, "source", "persistentVolumeName") or "",
        spec.get("nodeName") or "",
        bool(at(obj, "status", "attached")),
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Attacher", "storage.v1.VolumeAttachmentSpec.attacher", format="name"),
        documented("PV", "storage.v1.VolumeAttachmentSource.persistentVolumeName"),
        documented("Node", "storage.v1.VolumeAttachmentSpec.nodeName"),
        documented("Attached", "storage.v1.VolumeAttachmentStatus.attached", type="boolean"),
        AGE,
    ),
    cells=_cells,
)
