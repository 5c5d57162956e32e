"""Priority classes: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill
from kubehop.kinds.printing import AGE, NAME, age, count, documented, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        count(obj, "value"),
        bool(obj.get("globalDefault")),
        age(obj, now),
        obj.get("preemptionPolicy") or "",
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Value", "scheduling.v1.PriorityClass.value", type="integer"),
        documented("Global-Default", "scheduling.v1.PriorityClass.globalDefault", type="boolean"),
        AGE,
        documented("PreemptionPolicy", "scheduling.v1.PriorityClass.preemptionPolicy"),
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Priority classes keep their value."""

    counts_generation = False

    def default(self, obj: Object) -> None:
        """Fill in that pods of the class may displace others."""
        fill(obj, preemptionPolicy="PreemptLowerPriority")

    def on_create(self, obj: Object) -> None:
        """Start the one generation that classes have."""
        obj["metadata"]["generation"] = 1

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the value and whether others are displaced."""
        if (new.get("value") or 0) != (old.get("value") or 0):
            yield fields.forbidden(fields.Path("value"), "may not be changed in an update.")
        if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
            yield fields.immutable(fields.Path("preemptionPolicy"), new.get("preemptionPolicy"))
