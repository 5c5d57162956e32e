"""Rules that kinds with a pod template share: selectors and what they select, rollouts, counts in a status.

Used by the workloads of the groups core, apps, batch and policy. Facts: pkg/apis/apps/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubehop.kinds.core.pod_validation import specs
from kubehop.kinds.validation import Errors, selects
from kubehop.kinds.validation_values import NOT_NEGATIVE, label_selector
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

SPEC = Path("spec")
STATUS = Path("status")
_OVER_REPLICAS = "cannot be greater than status.replicas"


def not_negative(path: Path, node: Object, *wanted: str) -> Errors:
    """Want numbers of zero or more, where they are there."""
    for name in wanted:
        value = node.get(name) or 0
        if value < 0:
            yield fields.invalid(path.child(name), value, NOT_NEGATIVE)


def selector(spec: Object, kind: str) -> Errors:
    """Want a selector that selects something; `kind` is what the message calls the workload."""
    found = spec.get("selector")
    if found is None:
        yield fields.required(SPEC.child("selector"))
        return
    yield from label_selector(SPEC.child("selector"), found)
    if not found.get("matchLabels") and not found.get("matchExpressions"):
        yield fields.invalid(SPEC.child("selector"), found, f"empty selector is invalid for {kind}")


def readable(found: Object | None) -> bool:
    """Tell whether a selector can be used (LabelSelectorAsSelector)."""
    return next(label_selector(SPEC, found), None) is None


def selected(spec: Object) -> Errors:
    """Want the labels of the template to be selected; no selector selects nothing."""
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    found = spec.get("selector")
    if found is None or not selects(found, labels or {}):
        path = SPEC.child("template", "metadata", "labels")
        yield fields.invalid(path, labels or None, "`selector` does not match template `labels`")


def template(path: Path, found: Object | None, owner: str) -> Errors:
    """Check the template of pods that run for ever; `owner` is what the message calls the workload."""
    yield from specs.template(path, found)
    yield from for_ever(path, found, owner)


def for_ever(path: Path, found: Object | None, owner: str) -> Errors:
    """Want pods to be restarted, and to have no end."""
    spec = (found or {}).get("spec") or {}
    policy = spec.get("restartPolicy") or ""
    if policy != "Always":
        yield fields.not_supported(path.child("spec", "restartPolicy"), policy, ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {owner} is not Supported"
        yield fields.forbidden(path.child("spec", "activeDeadlineSeconds"), text)


def number_or_percent(path: Path, value: Any) -> Errors:
    """Want a number of zero or more, or a percentage (ValidatePositiveIntOrPercent)."""
    if isinstance(value, str):
        for message in names.percent(value):
            yield fields.invalid(path, value, message)
    elif (value or 0) < 0:
        yield fields.invalid(path, value, NOT_NEGATIVE)


def at_most_all(path: Path, value: Any) -> Errors:
    """Refuse percentages above 100 (IsNotMoreThan100Percent)."""
    if isinstance(value, str) and not names.percent(value) and int(value[:-1]) > 100:
        yield fields.invalid(path, value, "must not be greater than 100%")


def as_number(value: Any) -> int:
    """Return a number, or that of a percentage; 0 for what is neither."""
    if isinstance(value, str):
        digits = value.removesuffix("%")
        return int(digits) if digits.isascii() and digits.isdigit() else 0
    return value or 0


def counts(status: Object, wanted: Sequence[str], within: Sequence[str], ready_text: str) -> Errors:
    """Want counts of pods that fit together; those of `within` are parts of all replicas.

    `ready_text` is how the error is worded that more are available than ready.
    """
    yield from not_negative(STATUS, status, *wanted)
    replicas, ready = status.get("replicas") or 0, status.get("readyReplicas") or 0
    for name in within:
        value = status.get(name) or 0
        if value > replicas:
            yield fields.invalid(STATUS.child(name), value, _OVER_REPLICAS)
    available = status.get("availableReplicas") or 0
    if available > ready:
        yield fields.invalid(STATUS.child("availableReplicas"), available, ready_text)


def collisions(new: Object, old: Object) -> Errors:
    """Refuse that fewer collisions are counted than before."""
    after, before = (((obj.get("status") or {}).get("collisionCount")) for obj in (new, old))
    if before is not None and (after is None or after < before):
        yield fields.invalid(STATUS.child("collisionCount"), after or 0, "cannot be decremented")
