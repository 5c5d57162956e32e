"""Resource claim templates: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), age(obj, now)]


PRINTER = Printer(columns=(NAME, AGE), cells=_cells)
