"""Leases: how they are printed, and that an update may create them."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.kinds.strategy import Strategy
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), at(obj, "spec", "holderIdentity") or "", age(obj, now)]


PRINTER = Printer(columns=(NAME, documented("Holder", "coordination.v1.LeaseSpec.holderIdentity"), AGE), cells=_cells)


class STRATEGY(Strategy):
    """Leases may be created by an update, and are never updated blindly."""

    creates_on_update = True
    updates_unconditionally = False
