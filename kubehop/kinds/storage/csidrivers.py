"""CSI drivers: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill, struct
from kubehop.kinds.printing import AGE, NAME, NONE, UNSET, age, documented, name
from kubehop.kinds.storage import rules
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import metadata
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    requests = spec.get("tokenRequests")
    return [
        name(obj),
        spec.get("attachRequired") is not False,
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        UNSET if requests is None else ",".join(request.get("audience") or "" for request in requests),
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ()) or NONE,
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("AttachRequired", "storage.v1.CSIDriverSpec.attachRequired", type="boolean"),
        documented("PodInfoOnMount", "storage.v1.CSIDriverSpec.podInfoOnMount", type="boolean"),
        documented("StorageCapacity", "storage.v1.CSIDriverSpec.storageCapacity", type="boolean"),
        documented("TokenRequests", "storage.v1.CSIDriverSpec.tokenRequests"),
        documented("RequiresRepublish", "storage.v1.CSIDriverSpec.requiresRepublish", type="boolean"),
        documented("Modes", "storage.v1.CSIDriverSpec.volumeLifecycleModes"),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """CSI drivers begin without a generation and count the changes of their spec."""

    def default(self, obj: Object) -> None:
        """Fill in what drivers do unless they say otherwise."""
        spec = struct(obj, "spec")
        fill(spec, attachRequired=True, podInfoOnMount=False, storageCapacity=False, requiresRepublish=False)
        fill(spec, fsGroupPolicy="ReadWriteOnceWithFSType", seLinuxMount=False)
        if not spec.get("volumeLifecycleModes"):
            spec["volumeLifecycleModes"] = ["Persistent"]

    def on_update(self, new: Object, old: Object) -> None:
        """Count a change of the spec."""
        if metadata.spec_changed(new, old):
            metadata.bump_generation(new, old)

    def check(self, obj: Object) -> Errors:
        """Check the driver."""
        yield from rules.csi_driver(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep how volumes are attached and live."""
        yield from rules.same_driver(new, old)
