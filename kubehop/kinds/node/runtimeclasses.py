"""Runtime classes: how they are printed, and what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, Column, age, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors, immutable
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), obj.get("handler") or "", age(obj, now)]


PRINTER = Printer(columns=(NAME, Column("Handler"), AGE), cells=_cells)


class STRATEGY(Strategy):
    """Runtime classes keep their handler."""

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the handler."""
        yield from immutable(new, old, "handler")
