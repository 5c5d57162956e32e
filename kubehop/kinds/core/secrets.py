"""Secrets: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, count, documented, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), obj.get("type") or "", count(obj, "data"), age(obj, now)]


PRINTER = Printer(
    columns=(NAME, documented("Type", "core.v1.Secret.type"), documented("Data", "core.v1.Secret.data"), AGE),
    cells=_cells,
)
