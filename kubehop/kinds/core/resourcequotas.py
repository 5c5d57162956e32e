"""Resource quotas: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import quota_rules
from kubehop.kinds.printing import AGE, NAME, Column, age, at, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    hard, used = at(obj, "status", "hard") or {}, at(obj, "status", "used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for resource in sorted(hard):
        line = f"{resource}: {used.get(resource, '0')}/{hard[resource]}"
        (limits if resource.startswith("limits.") else requests).append(line)
    return [name(obj), ", ".join(requests), ", ".join(limits), age(obj, now)]


PRINTER = Printer(
    columns=(
        NAME,
        Column(
            "Request",
            description="Request represents a minimum amount of cpu/memory that a container may consume.",
        ),
        Column(
            "Limit",
            description="Limits control the maximum amount of cpu/memory that a container may use independent of"
            " contention on the node.",
        ),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Quotas keep their scopes."""

    def check(self, obj: Object) -> Errors:
        """Check limits and scopes."""
        yield from quota_rules.quota(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the scopes."""
        yield from quota_rules.same_scopes(new, old)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check what was counted."""
        _ = old
        if subresource == "status":
            yield from quota_rules.quota_status(new)
