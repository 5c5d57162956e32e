"""CSI storage capacities: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import NAME, UNSET, documented, name
from kubehop.kinds.storage import rules
from kubehop.kinds.strategy import NEW_THEN_CHANGES, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, _now: float) -> list[Any]:
    capacity = obj.get("capacity")
    return [name(obj), obj.get("storageClassName") or "", UNSET if capacity is None else str(capacity)]


PRINTER = Printer(
    columns=(
        NAME,
        documented("StorageClassName", "storage.v1.CSIStorageCapacity.storageClassName"),
        documented("Capacity", "storage.v1.CSIStorageCapacity.capacity"),
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Capacities stay with their class and place."""

    update_steps = NEW_THEN_CHANGES

    def check(self, obj: Object) -> Errors:
        """Check the object."""
        yield from rules.capacity(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep what may not change."""
        yield from rules.same_capacity(new, old)
