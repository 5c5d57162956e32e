"""JSON Merge Patch (RFC 7386) as gopkg.in/evanphx/json-patch.v4 does it.

Called by `requests`. What differs from the RFC: where a patch puts an array in the place of something else, nulls of
objects inside that array are dropped.
"""

from __future__ import annotations

from typing import Any

from kubehop.machinery.objects import Object, deep_copy_value


def apply(document: Object, patch: Object) -> Object:
    """The document with the patch merged into it."""
    out = dict(document)
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
            continue
        current = out.get(key)
        if isinstance(current, dict):
            out[key] = apply(current, value) if isinstance(value, dict) else deep_copy_value(value)
        else:
            out[key] = pruned(value)
    return out


def pruned(value: Any) -> Any:
    """A value of a patch that replaces something: without the nulls of its objects, those inside arrays included."""
    if isinstance(value, dict):
        return {key: pruned(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [pruned(item) for item in value]
    return value
