"""Leases: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), at(obj, "spec", "holderIdentity") or "", age(obj, now)]


PRINTER = Printer(columns=(NAME, documented("Holder", "coordination.v1.LeaseSpec.holderIdentity"), AGE), cells=_cells)
