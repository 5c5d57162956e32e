"""Ingress classes: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, NONE, Column, age, at, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _parameters(parameters: Object | None) -> str:
    if parameters is None:
        return NONE
    group = parameters.get("apiGroup")
    kind = parameters.get("kind") or ""
    return f"{kind if group is None else f'{kind}.{group}'}/{parameters.get('name') or ''}"


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        at(obj, "spec", "controller") or "",
        _parameters(at(obj, "spec", "parameters")),
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Controller", description="Controller that is responsible for handling this class"),
        Column("Parameters", description="A reference to a resource with additional parameters"),
        AGE,
    ),
    cells=_cells,
)
