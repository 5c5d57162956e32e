"""Config maps: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, count, documented, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), count(obj, "data") + count(obj, "binaryData"), age(obj, now)]


PRINTER = Printer(columns=(NAME, documented("Data", "core.v1.ConfigMap.data"), AGE), cells=_cells)
