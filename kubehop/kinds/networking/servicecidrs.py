"""Service address ranges: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), ",".join(at(obj, "spec", "cidrs") or ()), age(obj, now)]


PRINTER = Printer(columns=(NAME, documented("CIDRs", "networking.v1.ServiceCIDRSpec.cidrs"), AGE), cells=_cells)
