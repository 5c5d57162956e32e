"""Volume attachments: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.kinds.storage import rules
from kubehop.kinds.strategy import NEW_THEN_CHANGES, Strategy
from kubehop.kinds.validation import Errors
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


class STRATEGY(Strategy):
    """Attachments stay between the same volume and node."""

    update_steps = NEW_THEN_CHANGES

    def check(self, obj: Object) -> Errors:
        """Check the object."""
        yield from rules.volume_attachment(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep what may not change."""
        yield from rules.same_attachment(new, old)
