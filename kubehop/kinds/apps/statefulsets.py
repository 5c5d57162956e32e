"""Stateful sets: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, WIDE_CONTAINERS, Column, age, at, containers, count, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        f"{count(obj, 'status', 'readyReplicas')}/{count(obj, 'spec', 'replicas')}",
        age(obj, now),
        *containers(at(obj, "spec", "template")),
    ]


PRINTER = Printer(
    columns=(NAME, Column("Ready", description="Number of the pod with ready state"), AGE, *WIDE_CONTAINERS),
    cells=_cells,
)
