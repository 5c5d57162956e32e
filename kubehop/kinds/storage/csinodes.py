"""CSI nodes: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, Column, age, count, name
from kubehop.kinds.storage import rules
from kubehop.kinds.strategy import NEW_THEN_CHANGES, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), count(obj, "spec", "drivers"), age(obj, now)]


PRINTER = Printer(
    columns=(
        NAME,
        Column(
            "Drivers",
            type="integer",
            description="Drivers indicates the number of CSI drivers registered on the node",
        ),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Nodes keep their drivers as these registered."""

    update_steps = NEW_THEN_CHANGES

    def check(self, obj: Object) -> Errors:
        """Check the object."""
        yield from rules.csi_node(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep what may not change."""
        yield from rules.same_drivers(new, old)
