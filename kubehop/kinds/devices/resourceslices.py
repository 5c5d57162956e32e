"""Resource slices: how they are printed, and what counts as a change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.kinds.strategy import Strategy
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name(obj),
        spec.get("nodeName") or "",
        spec.get("driver") or "",
        at(spec, "pool", "name") or "",
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Node", "resource.v1.ResourceSliceSpec.nodeName"),
        documented("Driver", "resource.v1.ResourceSliceSpec.driver"),
        documented("Pool", "resource.v1.ResourcePool.name"),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Slices count the generation of their spec."""

    counts_generation = True
