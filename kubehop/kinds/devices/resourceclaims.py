"""Resource claims: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import part
from kubehop.kinds.devices import defaults, rules
from kubehop.kinds.printing import AGE, NAME, Column, age, at, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors, immutable
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


class STRATEGY(Strategy):
    """Claims keep their spec."""

    def default(self, obj: Object) -> None:
        """Fill in how many devices are claimed."""
        defaults.claim_spec(part(obj, "spec"))

    def check(self, obj: Object) -> Errors:
        """Check what is claimed."""
        yield from rules.claim(obj.get("spec"))

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the spec."""
        yield from immutable(new, old, "spec")
