"""What is wrong with nodes. Facts: pkg/apis/core/validation/validation.go (ValidateNode, ValidateNodeUpdate)."""

from __future__ import annotations

from typing import Any

from kubehop.kinds import validation_addresses as addresses
from kubehop.kinds import validation_quantities as quantities
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import one_of, qualified
from kubehop.machinery import fields, gotext, names
from kubehop.machinery.fields import ErrorType, FieldError, Literal, Path

Object = dict[str, Any]

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_POD_CIDRS = Path("spec", "podCIDRs")


def node(obj: Object) -> Errors:
    """Check a node."""
    spec = obj.get("spec") or {}
    yield from taints(spec.get("taints") or ())
    yield from _resources(obj)
    found = spec.get("podCIDRs") or []
    for index, text in enumerate(found):
        yield from addresses.cidr(_POD_CIDRS.index(index), text)
    if len(found) > 1:
        families = [addresses.family(text) for text in found]
        if len(found) > 2 or families[0] == families[1]:
            yield fields.invalid(_POD_CIDRS, found, "may specify no more than one CIDR for each IP family")
        for index, text in enumerate(found):
            if text in found[:index]:
                yield fields.duplicate(_POD_CIDRS.index(index), text)


def taints(found: Any) -> Errors:
    """Check taints: each key and effect once."""
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(found):
        # kube-apiserver has them below metadata, where they were once
        at = Path("metadata", "taints").index(index)
        key, value, effect = (taint.get(field) or "" for field in ("key", "value", "effect"))
        yield from qualified(at.child("key"), key)
        wrong = names.label_value(value)
        if wrong:
            yield fields.invalid(at.child("value"), value, ";".join(wrong))
        if not effect:
            yield fields.required(at.child("effect"))
        else:
            yield from one_of(at.child("effect"), effect, _EFFECTS)
        if (key, effect) in seen:
            shown = gotext.json_text(
                {"Key": key, "Value": value, "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            )
            yield FieldError(ErrorType.DUPLICATE, at, Literal(shown), "taints must be unique by key and effect pair")
        seen.add((key, effect))


def _resources(obj: Object) -> Errors:
    for field in ("capacity", "allocatable"):
        for resource, value in sorted(((obj.get("status") or {}).get(field) or {}).items()):
            yield from quantities.quantity_of(Path("status", field, resource), resource, value)


def changes(new: Object, old: Object) -> Errors:
    """Keep what identifies a node (ValidateNodeUpdate)."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    yield from _resources(new)
    seen: list[Object] = []
    for index, address in enumerate((new.get("status") or {}).get("addresses") or ()):
        if address in seen:
            shown = {"Type": address.get("type") or "", "Address": address.get("address") or ""}
            yield fields.duplicate(Path("status", "addresses").index(index), shown)
        seen.append(address)
    had, has = before.get("podCIDRs") or [], after.get("podCIDRs") or []
    text = 'node updates may not change podCIDR except from "" to valid'
    if had and len(had) != len(has):
        yield fields.forbidden(_POD_CIDRS, text)
    elif had:
        for one, other in zip(had, has, strict=True):
            if one != other:
                yield fields.forbidden(_POD_CIDRS, text)
    if before.get("providerID") and before["providerID"] != after.get("providerID"):
        text = 'node updates may not change providerID except from "" to valid'
        yield fields.forbidden(Path("spec", "providerID"), text)
    yield from taints(after.get("taints") or ())
    if (after.get("externalID") or "") != (before.get("externalID") or ""):
        yield fields.forbidden(Path("spec", "externalID"), "may not be updated")
