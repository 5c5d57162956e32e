"""Roles and cluster roles: what may be written."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.rbac.names import RBACStrategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields
from kubehop.machinery.fields import Path

Object = dict[str, Any]


class RoleStrategy(RBACStrategy):
    """Roles have rules that say something."""

    namespaced_rules = True

    def check(self, obj: Object) -> Errors:
        """Check every rule."""
        for index, rule in enumerate(obj.get("rules") or ()):
            yield from _rule(rule, Path("rules").index(index), namespaced=self.namespaced_rules)


def _rule(rule: Object, path: Path, *, namespaced: bool) -> Errors:
    if not rule.get("verbs"):
        yield fields.required(path.child("verbs"), "verbs must contain at least one value")
    urls = rule.get("nonResourceURLs")
    if urls:
        at = path.child("nonResourceURLs")
        if namespaced:
            yield fields.invalid(at, urls, "namespaced rules cannot apply to non-resource URLs")
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            yield fields.invalid(at, urls, "rules cannot apply to both regular resources and non-resource URLs")
        return
    if not rule.get("apiGroups"):
        yield fields.required(path.child("apiGroups"), "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield fields.required(path.child("resources"), "resource rules must supply at least one resource")


STRATEGY = RoleStrategy
