"""Events between the core group and events.k8s.io (pkg/apis/events/v1/conversion.go).

The two forms have the same parts under other names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]

CORE = "v1"

_NEW_NAMES: Mapping[str, str] = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_OLD_NAMES: Mapping[str, str] = {new: old for old, new in _NEW_NAMES.items()}

# what each form always has, however empty
_OLD_ALWAYS: Mapping[str, Any] = {
    "involvedObject": {},
    "source": {},
    "firstTimestamp": None,
    "lastTimestamp": None,
    "eventTime": None,
    "reportingComponent": "",
    "reportingInstance": "",
}
_NEW_ALWAYS: Mapping[str, Any] = {
    "regarding": {},
    "deprecatedSource": {},
    "deprecatedFirstTimestamp": None,
    "deprecatedLastTimestamp": None,
    "eventTime": None,
}
_OMITTED_WHEN_EMPTY = ("reportingController", "reportingInstance")


def convert(obj: Object, api_version: str) -> Object:
    """Return an event in its other form."""
    core = api_version == CORE
    names, always = (_OLD_NAMES, _OLD_ALWAYS) if core else (_NEW_NAMES, _NEW_ALWAYS)
    converted = {names.get(key, key): value for key, value in obj.items()}
    converted["apiVersion"] = api_version
    for key, empty in always.items():
        if key not in converted:
            converted[key] = dict(empty) if isinstance(empty, dict) else empty
    if not core:
        for key in _OMITTED_WHEN_EMPTY:
            if converted.get(key) == "":
                del converted[key]
    return converted
