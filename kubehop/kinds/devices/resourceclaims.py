"""Resource claims: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, Column, age, at, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _state(obj: Object) -> str:
    deleted = bool(at(obj, "metadata", "deletionTimestamp"))
    states = ["deleted"] if deleted else []
    if at(obj, "status", "allocation") is not None:
        states.append("allocated")
        if at(obj, "status", "reservedFor"):
            states.append("reserved")
    elif not deleted:
        states.append("pending")
    return ",".join(states)


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), _state(obj), age(obj, now)]


PRINTER = Printer(
    columns=(
        NAME,
        Column("State", description="A summary of the current state (allocated, pending, reserved, etc.)."),
        AGE,
    ),
    cells=_cells,
)
