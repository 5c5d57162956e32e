"""What is wrong with claims and classes of devices; expressions are compiled elsewhere.

Facts: pkg/apis/resource/validation/validation.go.
"""

from __future__ import annotations

from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import POSITIVE, required_name
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_SPEC = Path("spec")
_MAX_ITEMS, _MAX_ALTERNATIVES = 32, 8
_MAX_EXPRESSION = 10 * 1024
_MODES = ("All", "ExactCount")
_ONE_OF = "exactly one of `exactly` or `firstAvailable` must be specified"


def device_class(obj: Object) -> Errors:
    """Check a class."""
    yield from _selectors(_SPEC.child("selectors"), (obj.get("spec") or {}).get("selectors") or ())


def _selectors(at: Path, selectors: Any) -> Errors:
    if len(selectors) > _MAX_ITEMS:
        yield fields.too_many(at, len(selectors), _MAX_ITEMS)
    for index, selector in enumerate(selectors):
        cel, here = selector.get("cel"), at.index(index).child("cel")
        if cel is None:
            yield fields.required(here)
        elif names.byte_length(cel.get("expression") or "") > _MAX_EXPRESSION:
            yield fields.too_long(here.child("expression"), _MAX_EXPRESSION)


def claim(spec: Object | None, at: Path = _SPEC) -> Errors:
    """Check the spec of a claim, or of the template of one."""
    at = at.child("devices", "requests")
    requests = ((spec or {}).get("devices") or {}).get("requests") or ()
    if len(requests) > _MAX_ITEMS:
        yield fields.too_many(at, len(requests), _MAX_ITEMS)
    for index, request in enumerate(requests):
        here = at.index(index)
        yield from _request(here, request)
        if any(request.get("name") == other.get("name") for other in requests[:index]):
            yield fields.duplicate(here, request.get("name") or "")


def _request(at: Path, request: Object) -> Errors:
    yield from required_name(at.child("name"), request.get("name"), names.dns1123_label)
    exactly, first = request.get("exactly"), request.get("firstAvailable") or ()
    if exactly is not None and first:
        yield fields.invalid(at, None, f"{_ONE_OF}, but multiple fields are set")
    elif exactly is not None:
        yield from _wanted(at.child("exactly"), exactly)
    elif first:
        if len(first) > _MAX_ALTERNATIVES:
            yield fields.too_many(at.child("firstAvailable"), len(first), _MAX_ALTERNATIVES)
        for index, one in enumerate(first):
            here = at.child("firstAvailable").index(index)
            yield from required_name(here.child("name"), one.get("name"), names.dns1123_label)
            yield from _wanted(here, one)
            if any(one.get("name") == other.get("name") for other in first[:index]):
                yield fields.duplicate(here, one.get("name") or "")
    else:
        yield fields.required(at, _ONE_OF)


def _wanted(at: Path, wanted: Object) -> Errors:
    yield from required_name(at.child("deviceClassName"), wanted.get("deviceClassName"), names.dns1123_subdomain)
    yield from _selectors(at.child("selectors"), wanted.get("selectors") or ())
    mode, count = wanted.get("allocationMode") or "", wanted.get("count") or 0
    match mode:
        case "All":
            if count:
                text = "must not be specified when allocationMode is 'All'"
                yield fields.invalid(at.child("count"), count, text)
        case "ExactCount":
            if count <= 0:
                yield fields.invalid(at.child("count"), count, POSITIVE)
        case _:
            yield fields.not_supported(at.child("allocationMode"), mode, _MODES)
