"""Resource claim templates: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import part
from kubehop.kinds.devices import defaults, rules
from kubehop.kinds.printing import AGE, NAME, age, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors, immutable
from kubehop.machinery.fields import Path
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), age(obj, now)]


PRINTER = Printer(columns=(NAME, AGE), cells=_cells)


class STRATEGY(Strategy):
    """Templates keep their spec."""

    def default(self, obj: Object) -> None:
        """Fill in how many devices are claimed."""
        defaults.claim_spec(part(obj, "spec", "spec"))

    def check(self, obj: Object) -> Errors:
        """Check what is claimed."""
        yield from rules.claim((obj.get("spec") or {}).get("spec"), Path("spec", "spec"))

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the spec."""
        yield from immutable(new, old, "spec")
