"""Priority level configurations: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill, fill_zero, part, struct
from kubehop.kinds.flowcontrol import rules
from kubehop.kinds.printing import AGE, NAME, NONE, age, at, documented, name
from kubehop.kinds.strategy import NEW_ALONE, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    limited = at(obj, "spec", "limited")
    queuing = at(limited, "limitResponse", "queuing")
    return [
        name(obj),
        at(obj, "spec", "type") or "",
        NONE if limited is None else limited.get("nominalConcurrencyShares"),
        *(NONE if queuing is None else queuing.get(field) or 0 for field in ("queues", "handSize", "queueLengthLimit")),
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Type", "flowcontrol.v1.PriorityLevelConfigurationSpec.type"),
        documented(
            "NominalConcurrencyShares", "flowcontrol.v1.LimitedPriorityLevelConfiguration.nominalConcurrencyShares"
        ),
        documented("Queues", "flowcontrol.v1.QueuingConfiguration.queues"),
        documented("HandSize", "flowcontrol.v1.QueuingConfiguration.handSize"),
        documented("QueueLengthLimit", "flowcontrol.v1.QueuingConfiguration.queueLengthLimit"),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Priority levels count the generation of their spec."""

    counts_generation = True
    update_steps = NEW_ALONE

    def default(self, obj: Object) -> None:
        """Fill in the shares and the queues."""
        spec = struct(obj, "spec")
        exempt, limited = part(spec, "exempt"), part(spec, "limited")
        if spec.get("type") == "Exempt" and exempt is None:
            exempt = struct(spec, "exempt")
        if exempt is not None:
            fill(exempt, nominalConcurrencyShares=0, lendablePercent=0)
        if limited is not None:
            fill(limited, nominalConcurrencyShares=30, lendablePercent=0)
            queuing = part(limited, "limitResponse", "queuing")
            if queuing is not None:
                fill_zero(queuing, handSize=8, queues=64, queueLengthLimit=50)

    def check(self, obj: Object) -> Errors:
        """Check the object."""
        yield from rules.priority_level(obj)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the conditions."""
        _ = old
        if subresource == "status":
            yield from rules.conditions(new)
