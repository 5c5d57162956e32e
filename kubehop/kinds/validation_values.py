"""Rules for single values that many kinds share: names, choices, numbers, labels and selectors of labels.

Each takes where the value is and the value, and yields field errors in kube-apiserver's words. Absent values are the
caller's business, but where a function says `required`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, metadata, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]
Rule = Callable[[str], list[str]]

NOT_NEGATIVE = "must be greater than or equal to 0"
POSITIVE = "must be greater than zero"


def obeys(path: Path, value: str, rule: Rule) -> Errors:
    """Hold a value against a rule of `kubehop.machinery.names`."""
    for message in rule(value):
        yield fields.invalid(path, value, message)


def subdomain(path: Path, value: str) -> Errors:
    """Want a DNS subdomain, as most names are."""
    return obeys(path, value, names.dns1123_subdomain)


def label(path: Path, value: str) -> Errors:
    """Want a DNS label."""
    return obeys(path, value, names.dns1123_label)


def qualified(path: Path, value: str) -> Errors:
    """Want a qualified name: `name` or `example.com/name`."""
    return obeys(path, value, names.qualified_name)


def segment(path: Path, value: str) -> Errors:
    """Want what can stand in a URL."""
    return obeys(path, value, names.path_segment_name)


def required_name(path: Path, value: str | None, rule: Rule, detail: str = "") -> Errors:
    """Want a name that obeys a rule; required."""
    if value:
        yield from obeys(path, value, rule)
    else:
        yield fields.required(path, detail)


def one_of(path: Path, value: Any, supported: Sequence[str]) -> Errors:
    """Want one of these values, listed in the order given."""
    if value not in supported:
        yield fields.not_supported(path, value, supported)


def port(path: Path, number: int | None) -> Errors:
    """Want a port from 1 to 65535; 0 stands for an absent one."""
    for message in names.port_number(number or 0):
        yield fields.invalid(path, number or 0, message)


def port_or_name(path: Path, value: Any) -> Errors:
    """Want a port's number or name (ValidatePortNumOrName)."""
    if isinstance(value, str):
        yield from obeys(path, value, names.port_name)
    else:
        yield from port(path, value)


def not_negative(path: Path, number: int | None) -> Errors:
    """Want zero or more (ValidateNonnegativeField)."""
    if (number or 0) < 0:
        yield fields.invalid(path, number, NOT_NEGATIVE)


def unchanged(path: Path, new: Any, old: Any) -> Errors:
    """Refuse a change (ValidateImmutableField)."""
    if new != old:
        yield fields.immutable(path, new)


def labels(path: Path, found: Mapping[str, str] | None) -> Errors:
    """Want labels."""
    yield from metadata.validate_labels(found or {}, path)


def label_selector(path: Path, selector: Object | None, *, any_value: bool = False) -> Errors:
    """Want a LabelSelector (ValidateLabelSelector); `any_value` lets values be that are none, as old objects have."""
    if selector is None:
        return
    yield from labels(path.child("matchLabels"), selector.get("matchLabels"))
    for index, requirement in enumerate(selector.get("matchExpressions") or ()):
        yield from _requirement(path.child("matchExpressions").index(index), requirement, any_value=any_value)


def _requirement(path: Path, requirement: Object, *, any_value: bool) -> Errors:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    match operator:
        case "In" | "NotIn":
            if not values:
                yield fields.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'")
        case "Exists" | "DoesNotExist":
            if values:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield fields.forbidden(path.child("values"), text)
        case _:
            yield fields.invalid(path.child("operator"), operator, "not a valid selector operator")
    yield from qualified(path.child("key"), requirement.get("key") or "")
    if not any_value:
        for index, value in enumerate(values):
            yield from obeys(path.child("values").index(index), value, names.label_value)


def exactly_what(value: Mapping[str, Any] | None, order: Iterable[str]) -> Object:
    """Return a struct as Go prints one without JSON names: every field, in order, by its Go name, None where unset."""
    found = value or {}
    return {name[:1].upper() + name[1:]: found.get(name) for name in order}
