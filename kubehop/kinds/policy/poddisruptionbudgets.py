"""Pod disruption budgets: how they are printed, and what may be written."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.policy import validation
from kubehop.kinds.printing import AGE, NAME, Column, age, at, count, name
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _number(value: Any) -> str:
    return "N/A" if value is None else str(value)


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        _number(at(obj, "spec", "minAvailable")),
        _number(at(obj, "spec", "maxUnavailable")),
        count(obj, "status", "disruptionsAllowed"),
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Min Available", description="The minimum number of pods that must be available."),
        Column("Max Unavailable", description="The maximum number of pods that may be unavailable."),
        Column(
            "Allowed Disruptions",
            type="integer",
            description="Calculated number of pods that may be disrupted at this time.",
        ),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Budgets count the generation of their spec and are never updated blindly."""

    counts_generation = True
    update_steps = (Step.CHECK,)
    updates_unconditionally = False

    def check(self, obj: Object) -> Errors:
        """Check the budget."""
        return validation.budget(obj)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the status."""
        _ = old
        return validation.budget_status(new) if subresource == "status" else iter(())
