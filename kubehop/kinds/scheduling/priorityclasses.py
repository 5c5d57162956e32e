"""Priority classes: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, count, documented, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        count(obj, "value"),
        bool(obj.get("globalDefault")),
        age(obj, now),
        obj.get("preemptionPolicy") or "",
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Value", "scheduling.v1.PriorityClass.value", type="integer"),
        documented("Global-Default", "scheduling.v1.PriorityClass.globalDefault", type="boolean"),
        AGE,
        documented("PreemptionPolicy", "scheduling.v1.PriorityClass.preemptionPolicy"),
    ),
    cells=_cells,
)
