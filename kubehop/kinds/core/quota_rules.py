"""What is wrong with resource quotas and limit ranges. Facts: pkg/apis/core/validation/validation.go."""

from __future__ import annotations

from typing import Any

from kubehop.kinds import validation_quantities as quantities
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import qualified
from kubehop.machinery import fields
from kubehop.machinery.fields import Path
from kubehop.machinery.quantity import Quantity

Object = dict[str, Any]

_SPEC = Path("spec")
_COMPUTE = frozenset({
    "pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory",
})  # fmt: skip
_POD_SCOPES = ("Terminating", "NotTerminating", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity")
_SCOPES = frozenset({*_POD_SCOPES, "BestEffort", "VolumeAttributesClass"})
_PLAIN_SCOPES = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity")
_EXCLUSIVE = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_EXISTS_ONLY = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
    "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)
_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_LISTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def quota(obj: Object) -> Errors:
    """Check a quota's limits and scopes (ValidateResourceQuotaSpec)."""
    spec = obj.get("spec") or {}
    hard = spec.get("hard") or {}
    yield from counted(_SPEC.child("hard"), hard)
    scopes, at = spec.get("scopes") or [], _SPEC.child("scopes")
    for scope in scopes:
        if scope not in _SCOPES:
            yield fields.invalid(at, scopes, "unsupported scope")
        yield from _misapplied(at, scope, hard, scopes)
    yield from _conflicts(at, scopes, scopes)
    if spec.get("scopeSelector") is not None:
        yield from _selector(spec, hard)


def counted(at: Path, found: Object) -> Errors:
    """Check names and quantities of what a quota counts."""
    for resource, value in sorted(found.items()):
        yield from quantities.quota_resource_name(at.key(resource), resource)
        yield from quantities.quantity_of(at.key(resource), resource, value)


def quota_status(obj: Object) -> Errors:
    """Check what a quota has counted."""
    for field in ("hard", "used"):
        yield from counted(Path("status", field), (obj.get("status") or {}).get(field) or {})


def _applies(scope: str, resource: str) -> bool:
    if scope in _POD_SCOPES:
        return resource in _COMPUTE
    if scope == "BestEffort":
        return resource == "pods"
    return scope != "VolumeAttributesClass" or resource in ("persistentvolumeclaims", "requests.storage")


def _misapplied(at: Path, scope: str, hard: Object, shown: Any) -> Errors:
    for resource in sorted(hard):
        if quantities.is_quota_resource(resource) and not _applies(scope, resource):
            yield fields.invalid(at, shown, "unsupported scope applied to resource")


def _conflicts(at: Path, scopes: list[str], shown: Any) -> Errors:
    for pair in _EXCLUSIVE:
        if set(pair) <= set(scopes):
            yield fields.invalid(at, shown, "conflicting scopes")


def _selector(spec: Object, hard: Object) -> Errors:
    at = _SPEC.child("scopeSelector", "matchExpressions")
    expressions = spec["scopeSelector"].get("matchExpressions") or ()
    for requirement in expressions:
        scope, operator = requirement.get("scopeName") or "", requirement.get("operator") or ""
        values = requirement.get("values") or []
        if scope not in _SCOPES:
            yield fields.invalid(at.child("scopeName"), scope, "unsupported scope")
        yield from _misapplied(at, scope, hard, spec["scopeSelector"])
        if scope in _PLAIN_SCOPES and operator != "Exists":
            yield fields.invalid(at.child("operator"), operator, _EXISTS_ONLY)
        if operator in ("In", "NotIn"):
            if not values:
                text = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                yield fields.required(at.child("values"), text)
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                text = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
                yield fields.invalid(at.child("values"), values, text)
        else:
            yield fields.invalid(at.child("operator"), operator, "not a valid selector operator")
    names = [requirement.get("scopeName") or "" for requirement in expressions]
    yield from _conflicts(_SPEC.child("scopes"), names, spec.get("scopes"))


def same_scopes(new: Object, old: Object) -> Errors:
    """Keep the scopes of a quota."""
    after, before = ((obj.get("spec") or {}).get("scopes") or [] for obj in (new, old))
    if set(after) != set(before):
        yield fields.invalid(_SPEC.child("scopes"), after or None, "field is immutable")


def limit_range(obj: Object) -> Errors:
    """Check the limits of a namespace (ValidateLimitRange)."""
    seen: set[str] = set()
    for index, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        at, kind = _SPEC.child("limits").index(index), item.get("type") or ""
        yield from _limit_type(at.child("type"), kind)
        if kind in seen:
            yield fields.duplicate(at.child("type"), kind)
        seen.add(kind)
        yield from _limit_names(at, item, kind)
        yield from _limit_values(at, item, kind)


def _limit_type(at: Path, kind: str) -> Errors:
    wrong = list(qualified(at, kind))
    yield from wrong
    if not wrong and "/" not in kind and kind not in _TYPES:
        yield fields.invalid(at, kind, "must be a standard limit type or fully qualified")


def _limit_names(at: Path, item: Object, kind: str) -> Errors:
    rule = quantities.container_resource_name if kind in ("Pod", "Container") else quantities.resource_name
    for field in _LISTS:
        if field == "maxLimitRequestRatio" and kind == "PersistentVolumeClaim":
            bounds = [item.get(bound) or {} for bound in ("min", "max")]
            if not any("storage" in bound for bound in bounds):
                text = "either minimum or maximum storage value is required, but neither was provided"
                yield fields.required(at.child("limits"), text)
        found = item.get(field) or {}
        if kind == "Pod" and field in ("default", "defaultRequest"):
            if found:
                yield fields.forbidden(at.child(field), "may not be specified when `type` is 'Pod'")
            continue
        for resource in sorted(found):
            yield from rule(at.child(field).key(resource), resource)


def _limit_values(at: Path, item: Object, kind: str) -> Errors:
    lists = {field: item.get(field) or {} for field in _LISTS}
    if kind == "Pod":
        lists["default"] = lists["defaultRequest"] = {}
    for resource in sorted({resource for found in lists.values() for resource in found}):
        amounts = {field: quantities.amount(found[resource]) for field, found in lists.items() if resource in found}
        yield from _bounds(at, resource, amounts)


_ORDERED = (
    # smaller, larger, where it is said, what is shown, in which words
    ("min", "max", "min", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest",
     "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest",
     "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest",
     "default request value {} is greater than default limit value {}"),
    ("min", "default", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "default", "max", "default value {} is greater than max value {}"),
)  # fmt: skip


def _bounds(at: Path, resource: str, amounts: dict[str, Quantity]) -> Errors:
    for small, large, where, shown, words in _ORDERED:
        if small in amounts and large in amounts and amounts[large] < amounts[small]:
            text = words.format(amounts[small], amounts[large])
            yield fields.invalid(at.child(where).key(resource), str(amounts[shown]), text)
    ratio = amounts.get("maxLimitRequestRatio")
    here = at.child("maxLimitRequestRatio").key(resource)
    if ratio is not None and ratio < Quantity(1):
        yield fields.invalid(here, str(ratio), f"ratio {ratio} is less than 1")
    if ratio is not None and "min" in amounts and "max" in amounts and amounts["min"]:
        most = amounts["max"].milli_value / amounts["min"].milli_value
        if ratio.milli_value / 1000 > most:
            text = f"ratio {ratio} is greater than max/min = {most:.6f}"
            yield fields.invalid(here, str(ratio), text)
    default, request = amounts.get("default"), amounts.get("defaultRequest")
    if default is None or request is None or default == request or quantities.may_be_overcommitted(resource):
        return
    text = f"default value {default} must equal to defaultRequest value {request} in {resource}"
    yield fields.invalid(at.child("defaultRequest").key(resource), str(request), text)
