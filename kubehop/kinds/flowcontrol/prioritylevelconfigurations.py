"""Priority level configurations: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, NONE, age, at, documented, name
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
