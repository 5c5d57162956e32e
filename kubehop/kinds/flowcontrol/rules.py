"""What is wrong with flow schemas and priority levels. Facts: pkg/apis/flowcontrol/validation/validation.go."""

from __future__ import annotations

import math
from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import obeys, one_of, required_name
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_SPEC = Path("spec")
_MAX_PRECEDENCE = 10000
_MAX_QUEUES = 10_000_000
_MAX_HASH_BITS = 60
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
_SUBJECTS = {"User": "user", "Group": "group", "ServiceAccount": "serviceAccount"}
_EXEMPT = "exempt"


def flow_schema(obj: Object) -> Errors:
    """Check a FlowSchema."""
    spec = obj.get("spec") or {}
    precedence, at = spec.get("matchingPrecedence") or 0, _SPEC.child("matchingPrecedence")
    if precedence <= 0:
        yield fields.invalid(at, precedence, "must be a positive value")
    if precedence > _MAX_PRECEDENCE:
        yield fields.invalid(at, precedence, f"must not be greater than {_MAX_PRECEDENCE}")
    if precedence == 1 and (obj.get("metadata") or {}).get("name") != _EXEMPT:
        yield fields.invalid(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1")
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in ("ByNamespace", "ByUser"):
        shown = {"Type": method.get("type") or ""}
        yield fields.not_supported(_SPEC.child("distinguisherMethod", "type"), shown, ("ByNamespace", "ByUser"))
    level = (spec.get("priorityLevelConfiguration") or {}).get("name")
    at = _SPEC.child("priorityLevelConfiguration", "name")
    yield from required_name(at, level, names.dns1123_subdomain, "must reference a priority level")
    for index, rule in enumerate(spec.get("rules") or ()):
        yield from _rule(_SPEC.child("rules").index(index), rule)
    yield from conditions(obj)


def conditions(obj: Object) -> Errors:
    """Check the conditions of a status: each type once."""
    seen: set[str] = set()
    for index, condition in enumerate((obj.get("status") or {}).get("conditions") or ()):
        at, kind = Path("status", "conditions").index(index).child("type"), condition.get("type") or ""
        if kind in seen:
            yield fields.duplicate(at, kind)
        seen.add(kind)
        if not kind:
            yield fields.required(at, "must not be empty")


def _rule(at: Path, rule: Object) -> Errors:
    if not rule.get("subjects"):
        yield fields.required(at.child("subjects"), "subjects must contain at least one value")
    for index, subject in enumerate(rule.get("subjects") or ()):
        yield from _subject(at.child("subjects").index(index), subject)
    resources, paths = rule.get("resourceRules") or (), rule.get("nonResourceRules") or ()
    if not resources and not paths:
        yield fields.required(at, "at least one of resourceRules and nonResourceRules has to be non-empty")
    for index, one in enumerate(resources):
        yield from _resource_rule(at.child("resourceRules").index(index), one)
    for index, one in enumerate(paths):
        yield from _path_rule(at.child("nonResourceRules").index(index), one)


def _subject(at: Path, subject: Object) -> Errors:
    kind = subject.get("kind") or ""
    if kind not in _SUBJECTS:
        yield fields.not_supported(at.child("kind"), kind, ("Group", "ServiceAccount", "User"))
        return
    field = _SUBJECTS[kind]
    found = subject.get(field)
    if found is None:
        yield fields.required(at.child(field), f"{field} is required when subject kind is '{kind}'")
    elif kind == "ServiceAccount":
        name, namespace = found.get("name") or "", found.get("namespace")
        if name != "*":
            yield from required_name(at.child(field, "name"), name, names.dns1123_subdomain)
        yield from required_name(
            at.child(field, "namespace"), namespace, names.dns1123_label, "must specify namespace for service account"
        )
    elif not found.get("name"):
        yield fields.required(at.child(field, "name"))
    for other in ("serviceAccount", "user", "group"):
        if other != field and subject.get(other) is not None:
            text = f"{other} is forbidden when subject kind is not '{other[0].upper()}{other[1:]}'"
            yield fields.forbidden(at.child(other), text)


def _alone(at: Path, found: list[str], what: str) -> Errors:
    if "*" in found and len(found) > 1:
        yield fields.invalid(at, found, f"if '*' is present, must not specify other {what}")


def _verbs(at: Path, rule: Object) -> Errors:
    found = rule.get("verbs") or []
    if not found:
        yield fields.required(at, "verbs must contain at least one value")
    elif "*" in found:
        yield from _alone(at, found, "verbs")
    elif not set(found) <= set(_VERBS):
        yield fields.not_supported(at, found, _VERBS)


def _resource_rule(at: Path, rule: Object) -> Errors:
    yield from _verbs(at.child("verbs"), rule)
    for field, one, many in (("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")):
        found = rule.get(field) or []
        if not found:
            yield fields.required(at.child(field), f"resource rules must supply at least one {one}")
        yield from _alone(at.child(field), found, many)
    found = rule.get("namespaces") or []
    if not found and not rule.get("clusterScope"):
        text = "resource rules that are not cluster scoped must supply at least one namespace"
        yield fields.required(at.child("namespaces"), text)
    elif "*" in found:
        yield from _alone(at.child("namespaces"), found, "namespaces")
    else:
        for index, namespace in enumerate(found):
            for message in names.dns1123_label(namespace):
                text = f"each member of this list must be '*' or a DNS-1123 label; {message}"
                yield fields.invalid(at.child("namespaces").index(index), namespace, text)


def _path_rule(at: Path, rule: Object) -> Errors:
    yield from _verbs(at.child("verbs"), rule)
    found = rule.get("nonResourceURLs") or []
    here = at.child("nonResourceURLs")
    if not found:
        yield fields.required(here, "nonResourceURLs must contain at least one value")
    elif "*" in found:
        yield from _alone(here, found, "non-resource URLs")
    else:
        for index, path in enumerate(found):
            yield from obeys(here.index(index), path, _path)


def _path(path: str) -> list[str]:
    if not path:
        return ["must not be empty"]
    if path == "/":
        return []
    if not path.startswith("/"):
        return ["must start with slash"]
    if " " in path:
        return ["must not contain white-space"]
    if "//" in path:
        return ["must not contain double slash"]
    stars = path.count("*")
    return ["wildcard can only do suffix matching"] if stars > 1 or (stars and not path.endswith("/*")) else []


def priority_level(obj: Object) -> Errors:
    """Check a PriorityLevelConfiguration."""
    spec, name = obj.get("spec") or {}, (obj.get("metadata") or {}).get("name")
    kind, limited, exempt = spec.get("type") or "", spec.get("limited"), spec.get("exempt")
    if (name == _EXEMPT) != (kind == "Exempt"):
        yield fields.invalid(_SPEC.child("type"), kind, "must be 'Exempt' if and only if `name` is 'exempt'")
    match kind:
        case "Exempt":
            if limited is not None:
                yield fields.forbidden(_SPEC.child("limited"), "must be nil if the type is not Limited")
            if exempt is not None:
                yield from _shares(_SPEC.child("exempt"), exempt)
        case "Limited":
            if exempt is not None:
                yield fields.forbidden(_SPEC.child("exempt"), "must be nil if the type is Limited")
            if limited is None:
                yield fields.required(_SPEC.child("limited"), "must not be empty when type is Limited")
            else:
                yield from _limited(_SPEC.child("limited"), limited)
        case _:
            yield fields.not_supported(_SPEC.child("type"), kind, ("Exempt", "Limited"))
    yield from conditions(obj)


def _percent(at: Path, value: int | None) -> Errors:
    if value is not None and not 0 <= value <= 100:
        yield fields.invalid(at, value, "must be between 0 and 100, inclusive")


def _shares(at: Path, level: Object) -> Errors:
    shares = level.get("nominalConcurrencyShares")
    if shares is not None and shares < 0:
        yield fields.invalid(at.child("nominalConcurrencyShares"), shares, "must be a non-negative integer")
    yield from _percent(at.child("lendablePercent"), level.get("lendablePercent"))


def _limited(at: Path, limited: Object) -> Errors:
    shares = limited.get("nominalConcurrencyShares") or 0
    if shares < 0:
        yield fields.invalid(at.child("nominalConcurrencyShares"), shares, "must be a non-negative integer")
    yield from _response(at.child("limitResponse"), limited.get("limitResponse") or {})
    yield from _percent(at.child("lendablePercent"), limited.get("lendablePercent"))
    borrowing = limited.get("borrowingLimitPercent")
    if borrowing is not None and borrowing < 0:
        text = "if specified, must be a non-negative integer"
        yield fields.invalid(at.child("borrowingLimitPercent"), borrowing, text)


def _response(at: Path, response: Object) -> Errors:
    kind, queuing = response.get("type") or "", response.get("queuing")
    match kind:
        case "Reject":
            if queuing is not None:
                text = "must be nil if limited.limitResponse.type is not Limited"
                yield fields.forbidden(at.child("queuing"), text)
        case "Queue":
            if queuing is None:
                text = "must not be empty if limited.limitResponse.type is Limited"
                yield fields.required(at.child("queuing"), text)
            else:
                yield from _queuing(at.child("queuing"), queuing)
        case _:
            yield from one_of(at.child("type"), kind, ("Queue", "Reject"))


def _queuing(at: Path, queuing: Object) -> Errors:
    limit, queues, hand = (queuing.get(field) or 0 for field in ("queueLengthLimit", "queues", "handSize"))
    if limit <= 0:
        yield fields.invalid(at.child("queueLengthLimit"), limit, "must be positive")
    if queues <= 0:
        yield fields.invalid(at.child("queues"), queues, "must be positive")
    elif queues > _MAX_QUEUES:
        yield fields.invalid(at.child("queues"), queues, f"must not be greater than {_MAX_QUEUES}")
    if hand <= 0:
        yield fields.invalid(at.child("handSize"), hand, "must be positive")
    elif hand > queues:
        yield fields.invalid(at.child("handSize"), hand, f"should not be greater than queues ({queues})")
    elif math.ceil(math.log2(math.prod(range(queues - min(hand, 64) + 1, queues + 1)))) > _MAX_HASH_BITS:
        text = (
            f"required entropy bits of deckSize {queues} and handSize {hand} should not be greater than "
            f"{_MAX_HASH_BITS}"
        )
        yield fields.invalid(at.child("handSize"), hand, text)
