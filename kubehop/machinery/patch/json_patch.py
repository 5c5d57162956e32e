"""JSON Patch (RFC 6902) with the leniencies of gopkg.in/evanphx/json-patch.v4, which kube-apiserver uses.

Called by `requests`. What differs from the RFC: a pointer's first step is dropped whatever it is, `replace` of a
missing member adds it, negative array indexes count from the end, an absent value is null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from kubehop.machinery.objects import deep_copy_value

MAX_OPERATIONS: Final = 10_000
"""Operations that one patch may have."""
MAX_COPY_BYTES: Final = 3 * 1024 * 1024
"""Bytes of JSON that all copy operations of one patch may add."""

_MISSING: Final = object()


class JsonPatchError(ValueError):
    """An operation that cannot be applied; kube-apiserver keeps the words to itself and answers 422."""


def apply(document: Any, operations: Sequence[Any]) -> Any:
    """The document after all operations; JsonPatchError when one fails, and then none counts."""
    return _Patcher(deep_copy_value(document)).run(operations)


def _text(operation: Any, name: str) -> str:
    value = operation.get(name) if isinstance(operation, dict) else None
    if value is None:
        raise JsonPatchError(f"operation missing {name} field: missing value")
    if not isinstance(value, str):
        raise JsonPatchError(f"operation failed to decode {name}")
    return value


def _decode(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~") if "~" in step else step


def _index(key: str) -> int:
    digits = key[1:] if key[:1] in {"+", "-"} else key
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise JsonPatchError(f"value was not a proper array index: '{key}'")
    return int(key)


def _position(items: list[Any], key: str, size: int) -> int:
    """An index within `size` places, counted from the end if it is negative."""
    index = _index(key)
    if not -size <= index < size:
        raise JsonPatchError(f"Unable to access invalid index: {index}: invalid index referenced")
    del items
    return index + size if index < 0 else index


class _Patcher:
    """One document under the hands of one patch."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.copied = 0
        self.kinds: dict[str, Callable[[dict[str, Any]], None]] = {
            "add": self.add,
            "remove": self.remove,
            "replace": self.replace,
            "move": self.move,
            "copy": self.copy,
            "test": self.test,
        }

    def run(self, operations: Sequence[Any]) -> Any:
        for operation in operations:
            name = operation.get("op") if isinstance(operation, dict) else None
            apply_one = self.kinds.get(name) if isinstance(name, str) else None
            if apply_one is None:
                raise JsonPatchError(f"Unexpected kind: {name if isinstance(name, str) else 'unknown'}")
            apply_one(operation)
        return self.document

    def find(self, path: str) -> tuple[dict[str, Any] | list[Any], str]:
        """The container that a pointer leads into, and the key in it."""
        steps = path.split("/")
        if len(steps) < 2:
            raise JsonPatchError(f'doc is missing path: "{path}": missing value')
        container = self.document
        for step in steps[1:-1]:
            if not isinstance(container, (dict, list)):
                raise JsonPatchError(f'doc is missing path: "{path}": missing value')
            container = self.get(container, _decode(step))
        if not isinstance(container, (dict, list)):
            raise JsonPatchError(f'doc is missing path: "{path}": missing value')
        return container, _decode(steps[-1])

    def get(self, container: Any, key: str) -> Any:
        """The value of a key: null when an object lacks it, an error when an array does."""
        if isinstance(container, dict):
            return container.get(key)
        return container[_position(container, key, len(container))]

    def put(self, container: Any, key: str, value: Any) -> None:
        """`add`: a member set, an item inserted."""
        if isinstance(container, dict):
            container[key] = value
        elif key == "-":
            container.append(value)
        else:
            container.insert(_position(container, key, len(container) + 1), value)

    def drop(self, container: Any, key: str) -> None:
        if isinstance(container, dict):
            if key not in container:
                raise JsonPatchError(f"Unable to remove nonexistent key: {key}: missing value")
            del container[key]
        else:
            del container[_position(container, key, len(container))]

    def add(self, operation: dict[str, Any]) -> None:
        container, key = self.find(_text(operation, "path"))
        self.put(container, key, deep_copy_value(operation.get("value")))

    def remove(self, operation: dict[str, Any]) -> None:
        self.drop(*self.find(_text(operation, "path")))

    def replace(self, operation: dict[str, Any]) -> None:
        path = _text(operation, "path")
        value = deep_copy_value(operation.get("value"))
        if not path:
            if not isinstance(value, (dict, list)):
                raise JsonPatchError("replace operation value must be object or array")
            self.document = value
            return
        container, key = self.find(path)
        if isinstance(container, dict):
            container[key] = value
        else:
            container[_position(container, key, len(container))] = value

    def move(self, operation: dict[str, Any]) -> None:
        container, key = self.find(_text(operation, "from"))
        value = self.get(container, key)
        self.drop(container, key)
        container, key = self.find(_text(operation, "path"))
        self.put(container, key, value)

    def copy(self, operation: dict[str, Any]) -> None:
        container, key = self.find(_text(operation, "from"))
        value = self.get(container, key)
        container, key = self.find(_text(operation, "path"))
        if value is not None:
            try:
                self.copied += len(orjson.dumps(value))
            except TypeError:  # nested deeper than can be written: copies of copies
                raise JsonPatchError("error while performing deep copy") from None
            if self.copied > MAX_COPY_BYTES:
                raise JsonPatchError(
                    f"Unable to complete the copy, the accumulated size increase of copy is {self.copied}, "
                    f"exceeding the limit {MAX_COPY_BYTES}"
                )
        self.put(container, key, deep_copy_value(value))

    def test(self, operation: dict[str, Any]) -> None:
        path = _text(operation, "path")
        wanted = operation.get("value")
        if not path:
            found = self.document
        else:
            container, key = self.find(path)
            found = self.get(container, key)
        if not equal(found, wanted):
            raise JsonPatchError(f"testing value {path} failed: test failed")


def equal(left: Any, right: Any) -> bool:
    """Whether two JSON values are written alike: 1, 1.0 and true are three values."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(equal(value, right[key]) for key, value in left.items())
        )
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(equal, left, right))
    return type(left) is type(right) and bool(left == right)
