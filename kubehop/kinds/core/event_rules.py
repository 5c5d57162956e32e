"""What is wrong with events, by the rules of the group through which they come.

Facts: pkg/apis/core/validation/events.go. Bad values are not shown, as kube-apiserver does not show them.
"""

from __future__ import annotations

from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import qualified, unchanged
from kubehop.machinery import fields, metadata, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_MAX_TEXT, _MAX_NOTE = 128, 1024
_SAME = (
    "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "reason", "type",
    "eventTime", "action", "related", "reportingComponent", "reportingInstance",
)  # fmt: skip
_NEW_NAMES = {"reportingComponent": "reportingController"}
_UNSET = ("firstTimestamp", "lastTimestamp", "count")


def event(obj: Object, *, core: bool) -> Errors:
    """Check an event by the rules that both groups share (legacyValidateEvent)."""
    namespace = (obj.get("metadata") or {}).get("namespace") or ""
    involved = (obj.get("involvedObject") or {}).get("namespace") or ""
    at = Path("involvedObject", "namespace")
    if not obj.get("eventTime"):
        if (involved or namespace != "default") and involved != namespace:
            yield fields.invalid(at, involved, "does not match event.namespace")
    else:
        if not involved and namespace not in ("default", "kube-system"):
            yield fields.invalid(at, involved, "does not match event.namespace")
        yield from _reported(obj, core=core)
    for message in names.dns1123_subdomain(namespace):
        yield fields.invalid(Path("namespace"), namespace, message)


def _reported(obj: Object, *, core: bool) -> Errors:
    controller = obj.get("reportingComponent") or ""
    at = Path("reportingComponent" if core else "reportingController")
    if not controller:
        yield fields.required(at)
    yield from qualified(at, controller)
    for field in ("reportingInstance", "action", "reason"):
        text = obj.get(field) or ""
        if not text:
            yield fields.required(Path(field))
        if names.byte_length(text) > _MAX_TEXT:
            yield fields.invalid(Path(field), "", f"can have at most {_MAX_TEXT} characters")
    if names.byte_length(obj.get("message") or "") > _MAX_NOTE:
        yield fields.invalid(Path("message"), "", f"can have at most {_MAX_NOTE} characters")


def new_form(obj: Object) -> Errors:
    """Check a new event that comes through events.k8s.io."""
    yield from metadata.validate(obj, namespaced=True, name_rule=names.name_is_dns_subdomain)
    yield from _series(obj)
    if not obj.get("eventTime"):
        yield fields.required(Path("eventTime"))
    kind = obj.get("type") or ""
    if kind not in ("Normal", "Warning"):
        yield fields.invalid(Path("type"), "", f"has invalid value: {kind}")
    source = obj.get("source") or {}
    unset = [field for field in _UNSET if obj.get(field)]
    if source.get("component") or source.get("host"):
        unset.append("source")
    for field in unset:
        yield fields.invalid(Path(field), "", "needs to be unset")


def _series(obj: Object) -> Errors:
    series = obj.get("series")
    if series is None:
        return
    if (series.get("count") or 0) < 2:
        yield fields.invalid(Path("series", "count"), "", "should be at least 2")
    if not series.get("lastObservedTime"):
        yield fields.required(Path("series", "lastObservedTime"))


def changes(new: Object, old: Object) -> Errors:
    """Keep an event that is changed through events.k8s.io, but for its series."""
    yield from metadata.validate_update(new, old)
    if new.get("series") != old.get("series"):
        yield from _series(new)
    for field in _SAME:
        after, before = new.get(field) or None, old.get(field) or None
        yield from unchanged(Path(_NEW_NAMES.get(field, field)), after, before)
