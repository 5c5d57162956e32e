"""Holds a pod against a standard: the checks of its level as they were in its version.

Called by `plugin`; source of the behaviour: pod-security-admission policy/registry.go.
"""

from __future__ import annotations

import functools
from typing import Final

from kubehop.machinery.objects import Object
from services.admission.plugins.pod_security import baseline, restricted
from services.admission.plugins.pod_security.policies import Standard
from services.admission.plugins.pod_security.violations import Check, Rule, Violation

_NEWEST: Final = max(one.since for rule in (*baseline.RULES, *restricted.RULES) for one in rule.versions)


def violations(standard: Standard, meta: Object, spec: Object) -> list[Violation]:
    """What keeps a pod from meeting a standard, in order."""
    found = (check(meta, spec) for check in _checks(standard.level, min(standard.minor, _NEWEST)))
    return [violation for violation in found if violation is not None]


@functools.cache
def _checks(level: str, minor: int) -> tuple[Check, ...]:
    if level == "privileged":
        return ()
    of_baseline = _as_of(baseline.RULES, minor)
    if level == "baseline":
        return tuple(of_baseline.values())
    of_restricted = _as_of(restricted.RULES, minor)
    replaced = {rule.overrides for rule in restricted.RULES if rule.name in of_restricted}
    kept = [check for name, check in of_baseline.items() if name not in replaced]
    return (*kept, *of_restricted.values())


def _as_of(rules: tuple[Rule, ...], minor: int) -> dict[str, Check]:
    found: dict[str, Check] = {}
    for rule in rules:
        for one in rule.versions:
            if one.since <= minor:
                found[rule.name] = one.check
    return found
