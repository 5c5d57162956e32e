"""Runtime classes: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, Column, age, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), obj.get("handler") or "", age(obj, now)]


PRINTER = Printer(columns=(NAME, Column("Handler"), AGE), cells=_cells)
