"""Cluster roles: what may be written."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.rbac.roles import RoleStrategy
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import label_selector
from kubehop.machinery import fields
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_SELECTORS = Path("aggregationRule", "clusterRoleSelectors")


class STRATEGY(RoleStrategy):
    """Cluster roles may be about paths, and may be put together from others."""

    namespaced_rules = False

    def check(self, obj: Object) -> Errors:
        """Check every rule, and whom the role is put together from."""
        yield from super().check(obj)
        rule = obj.get("aggregationRule")
        if rule is None:
            return
        selectors = rule.get("clusterRoleSelectors")
        if not selectors:
            yield fields.required(_SELECTORS, "at least one clusterRoleSelector required if aggregationRule is non-nil")
        for index, selector in enumerate(selectors or ()):
            yield from label_selector(_SELECTORS.index(index), selector)
