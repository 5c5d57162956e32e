"""Device classes: how they are printed, and what counts as a change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.devices import rules
from kubehop.kinds.printing import AGE, NAME, age, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), age(obj, now)]


PRINTER = Printer(columns=(NAME, AGE), cells=_cells)


class STRATEGY(Strategy):
    """Device classes count the generation of their spec."""

    counts_generation = True

    def check(self, obj: Object) -> Errors:
        """Check the class."""
        yield from rules.device_class(obj)
