"""CSI storage capacities: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import NAME, UNSET, documented, name
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
