"""Limit ranges: their defaults. They are printed as any other kind."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import quota_rules
from kubehop.kinds.defaulting import items
from kubehop.kinds.strategy import NEW_ALONE, Strategy
from kubehop.kinds.validation import Errors

Object = dict[str, Any]


class STRATEGY(Strategy):
    """Limits of containers imply one another."""

    update_steps = NEW_ALONE

    def default(self, obj: Object) -> None:
        """Fill in limits from the maximum, requests from the limit or the minimum (SetDefaults_LimitRangeItem)."""
        for item in items(obj, "spec", "limits"):
            if item.get("type") != "Container":
                continue
            limits = dict(item.get("default") or {})
            for name, value in (item.get("max") or {}).items():
                limits.setdefault(name, value)
            requests = dict(item.get("defaultRequest") or {})
            for source in (limits, item.get("min") or {}):
                for name, value in source.items():
                    requests.setdefault(name, value)
            for field, found in (("default", limits), ("defaultRequest", requests)):
                if found:
                    item[field] = found

    def check(self, obj: Object) -> Errors:
        """Check that the limits go together."""
        yield from quota_rules.limit_range(obj)
