"""Namespaces: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, Column, age, at, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), at(obj, "status", "phase") or "", age(obj, now)]


PRINTER = Printer(columns=(NAME, Column("Status", description="The status of the namespace"), AGE), cells=_cells)
