"""Network policies: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, age, at, documented, name, selector_text
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), selector_text(at(obj, "spec", "podSelector")), age(obj, now)]


PRINTER = Printer(
    columns=(NAME, documented("Pod-Selector", "networking.v1.NetworkPolicySpec.podSelector"), AGE), cells=_cells
)
