"""CSI nodes: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, Column, age, count, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), count(obj, "spec", "drivers"), age(obj, now)]


PRINTER = Printer(
    columns=(
        NAME,
        Column(
            "Drivers",
            type="integer",
            description="Drivers indicates the number of CSI drivers registered on the node",
        ),
        AGE,
    ),
    cells=_cells,
)
