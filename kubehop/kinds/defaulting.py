"""Small pieces that the defaults of kinds are made of.

An object is as decoding leaves it: what Go would omit is absent. So a field that is absent is unset, and a scalar that
is not behind a pointer is unset when it is zero.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Object = dict[str, Any]


def fill(node: Object, **defaults: Any) -> None:
    """Set fields that are absent or empty texts. Changes the node."""
    for key, value in defaults.items():
        if node.get(key) in (None, ""):
            node[key] = copy.copy(value)


def fill_zero(node: Object, **defaults: Any) -> None:
    """Set fields that are absent or zero. Changes the node."""
    for key, value in defaults.items():
        if not node.get(key):
            node[key] = copy.copy(value)


def struct(node: Object, *path: str) -> Object:
    """Return the object at a path, attaching empty ones where there are none. Changes the node."""
    for key in path:
        found = node.get(key)
        if not isinstance(found, dict):
            found = node[key] = {}
        node = found
    return node


def part(node: Mapping[str, Any] | None, *path: str) -> Object | None:
    """Return the object at a path, None where there is none."""
    found: Any = node
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def items(node: Mapping[str, Any] | None, *path: str) -> Iterator[Object]:
    """Yield the objects of the list at a path."""
    found: Any = node
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict):
            yield item


def copied(pairs: Iterable[tuple[str, Any]]) -> Object:
    """Return a new object of deep copies."""
    return {key: copy.deepcopy(value) for key, value in pairs}
