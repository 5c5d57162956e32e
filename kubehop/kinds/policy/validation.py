"""What may be written to pod disruption budgets. Facts: pkg/apis/policy/validation/validation.go."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import exactly_what, label_selector
from kubehop.kinds.workload_rules import SPEC, STATUS, at_most_all, not_negative, number_or_percent
from kubehop.machinery import fields, metadata

Object = dict[str, Any]

_FIELDS = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
_EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")


def budget(obj: Object) -> Errors:
    """Check a budget (ValidatePodDisruptionBudgetSpec)."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        text = "minAvailable and maxUnavailable cannot be both set"
        yield fields.invalid(SPEC, exactly_what(spec, _FIELDS), text)
    for name, value in (("minAvailable", least), ("maxUnavailable", most)):
        if value is not None:
            yield from number_or_percent(SPEC.child(name), value)
            yield from at_most_all(SPEC.child(name), value)
    yield from label_selector(SPEC.child("selector"), spec.get("selector"))
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in _EVICTION_POLICIES:
        yield fields.not_supported(SPEC.child("unhealthyPodEvictionPolicy"), policy, _EVICTION_POLICIES)


def budget_status(new: Object) -> Errors:
    """Check a budget's status (ValidatePodDisruptionBudgetStatusUpdate)."""
    status = new.get("status") or {}
    yield from metadata.validate_condition_list(status.get("conditions") or (), STATUS.child("conditions"))
    yield from not_negative(STATUS, status, "disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
