"""Service address ranges: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.networking import policy_rules
from kubehop.kinds.printing import AGE, NAME, age, at, documented, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), ",".join(at(obj, "spec", "cidrs") or ()), age(obj, now)]


PRINTER = Printer(columns=(NAME, documented("CIDRs", "networking.v1.ServiceCIDRSpec.cidrs"), AGE), cells=_cells)


class STRATEGY(Strategy):
    """Ranges of service addresses stay as they are."""

    def check_create(self, obj: Object) -> Errors:
        """Check the ranges."""
        yield from policy_rules.service_cidr(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the ranges."""
        yield from policy_rules.same_ranges(new, old)
