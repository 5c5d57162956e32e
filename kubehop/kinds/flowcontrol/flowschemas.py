"""Flow schemas: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill_zero, struct
from kubehop.kinds.flowcontrol import rules
from kubehop.kinds.printing import AGE, NAME, NONE, Column, age, at, count, documented, name
from kubehop.kinds.strategy import NEW_ALONE, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    dangling = "?"
    for condition in at(obj, "status", "conditions") or ():
        if condition.get("type") == "Dangling":
            dangling = condition.get("status") or ""
            break
    return [
        name(obj),
        at(spec, "priorityLevelConfiguration", "name") or "",
        count(spec, "matchingPrecedence"),
        at(spec, "distinguisherMethod", "type") or NONE,
        age(obj, now),
        dangling,
    ]


def _order(obj: Object) -> tuple[int, str]:
    """Order a list as requests are matched: by precedence, then by name."""
    return count(obj, "spec", "matchingPrecedence"), name(obj)


PRINTER = Printer(
    columns=(
        NAME,
        documented("PriorityLevel", "flowcontrol.v1.PriorityLevelConfigurationReference.name"),
        documented("MatchingPrecedence", "flowcontrol.v1.FlowSchemaSpec.matchingPrecedence"),
        documented("DistinguisherMethod", "flowcontrol.v1.FlowSchemaSpec.distinguisherMethod"),
        AGE,
        Column("MissingPL", description="references a broken or non-existent PriorityLevelConfiguration"),
    ),
    cells=_cells,
    order=_order,
)


class STRATEGY(Strategy):
    """Flow schemas count the generation of their spec."""

    counts_generation = True
    update_steps = NEW_ALONE

    def default(self, obj: Object) -> None:
        """Fill in the precedence."""
        fill_zero(struct(obj, "spec"), matchingPrecedence=1000)

    def check(self, obj: Object) -> Errors:
        """Check the object."""
        yield from rules.flow_schema(obj)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the conditions."""
        _ = old
        if subresource == "status":
            yield from rules.conditions(new)
