"""The slow readers that find the words: what Go says of a value that does not fit its type.

decoding.py comes here when its fast way stops. `JsonReader` speaks for sigs.k8s.io/json (bodies, JSON and merge
patches), `Restorer` for apimachinery's unstructured converter (strategic merge patches). Both return the value without
what was unknown, its numbers and repeated keys resolved, so that the fast way can finish.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from kubehop.machinery import gotext, quantity, timestamps
from kubehop.machinery.gojson import NumberText, Pairs
from kubehop.machinery.schema import Schema

_MAX_STRICT_ERRORS = 100
_LIMITS = {"int32": 1 << 31, "int64": 1 << 63}
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


class TypeMismatchError(ValueError):
    """A value that does not fit its type, in Go's words."""


def _cut(number: int, node: Schema) -> int:
    """A whole number as Go converts it: what is beyond 64 bits becomes the smallest, then the bits that fit stay."""
    if not -(1 << 63) <= number < 1 << 63:
        number = -(1 << 63)
    return (number + (1 << 31)) % (1 << 32) - (1 << 31) if node.format == "int32" else number


def json_kind(value: Any) -> str:
    """What encoding/json calls a value in messages."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "null"


def number_text(value: float) -> str:
    """A number as it was written, as far as that is known."""
    if isinstance(value, NumberText):
        return value.text
    return str(value) if isinstance(value, int) else gotext.float_text(value)


def base64_problem(text: str) -> str | None:
    """encoding/base64's complaint about a text, None when it can be decoded."""
    offset = _base64_offset(text)
    return None if offset is None else f"illegal base64 data at input byte {offset}"


def _base64_offset(text: str) -> int | None:
    """Where Go's decoder stops, None when it comes to a good end. Line breaks are passed over."""
    at, end = 0, len(text)
    count = 0  # characters of the present quantum of four
    while at < end:
        char = text[at]
        at += 1
        if char in "\r\n":
            continue
        if char in _BASE64:
            count = (count + 1) % 4
        elif char != "=" or count < 2:
            return at - 1
        else:
            return _base64_padding(text, at, count)
    return at - count if count else None


def _base64_padding(text: str, at: int, count: int) -> int | None:
    """The same from behind the first padding character on."""
    at = _past_breaks(text, at)
    if count == 2:
        if at == len(text):
            return at
        if text[at] != "=":
            return at - 1
        at = _past_breaks(text, at + 1)
    return at if at < len(text) else None


def _past_breaks(text: str, at: int) -> int:
    while at < len(text) and text[at] in "\r\n":
        at += 1
    return at


def zero_value(node: Schema) -> Any:
    """What Go holds for a null inside a list or map, as JSON writes it."""
    if node.role == "quantity":
        return "0"
    if node.is_struct:
        return {}
    if node.role or node.items is not None or node.additional is not None:
        return None
    return {"string": "", "integer": 0, "number": 0, "boolean": False}.get(node.type or "")


def plain(value: Any) -> Any:
    """A value of the exact form without what is special about it: the last of repeated keys, numbers as numbers.

    TypeMismatchError for a number beyond a float64, which Go refuses where no type was given.
    """
    if isinstance(value, NumberText) and not math.isfinite(value):
        raise TypeMismatchError(f"json: cannot unmarshal number {value.text} into Go value of type float64")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return float(value) if isinstance(value, NumberText) else value


class JsonReader:
    """Reads one value along its schema; after `read`, `strict_errors` are in document order.

    A wrong type is noted, the first one raised at the end; types that read themselves (times, quantities) raise at
    once, and so win over one noted before, as in Go.
    """

    def __init__(self) -> None:
        self.strict_errors: list[str] = []
        self._mismatch = ""
        self._fields: list[str] = []
        self._struct = ""

    def read(self, node: Schema, value: Any) -> Any:
        """The value without what is unknown; TypeMismatchError."""
        resolved = self._value(node, value, "")
        if self._mismatch:
            raise TypeMismatchError(self._mismatch)
        return resolved

    def _note(self, kind: str, go_type: str) -> None:
        if not self._mismatch:
            self._mismatch = self._words(kind, go_type)

    def _words(self, kind: str, go_type: str) -> str:
        where = f"Go struct field {self._struct}.{'.'.join(self._fields)}" if self._fields else "Go value"
        return f"json: cannot unmarshal {kind} into {where} of type {go_type}"

    def _strict(self, kind: str, path: str) -> None:
        error = f"{kind} field {gotext.quote(path)}"
        if len(self.strict_errors) < _MAX_STRICT_ERRORS and error not in self.strict_errors:
            self.strict_errors.append(error)

    def _value(self, node: Schema, value: Any, path: str) -> Any:
        if node.role and node.role != "bytes":
            return self._role(node, value, path)
        if value is None:
            return None
        if node.is_struct:
            return self._object(node, value, path)
        if node.additional is not None:
            return self._map(node, node.additional, value, path)
        if node.items is not None:
            return self._list(node, node.items, value, path)
        return self._scalar(node, value)

    def _object(self, node: Schema, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return self._note(json_kind(value), node.go_type)
        out: dict[str, Any] = {}
        seen: set[str] = set()
        struct, depth = self._struct, len(self._fields)
        for key, item in _members(value):
            here = f"{path}.{key}" if path else key
            child = node.properties.get(key)
            if child is None:
                self._strict("unknown", here)
                continue
            if key in seen:
                self._strict("duplicate", here)
            seen.add(key)
            self._fields.append(key)
            self._struct = node.name
            _put(out, key, self._value(child, item, here), merge=child.is_struct or child.additional is not None)
            del self._fields[depth:]
            self._struct = struct
        return out

    def _map(self, node: Schema, values: Schema, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return self._note(json_kind(value), node.go_type)
        out: dict[str, Any] = {}
        seen: set[str] = set()
        for key, item in _members(value):
            here = f"{path}.{key}" if path else key
            if key in seen:
                self._strict("duplicate", here)
            seen.add(key)
            out[key] = zero_value(values) if item is None else self._value(values, item, here)
        return out

    def _list(self, node: Schema, items: Schema, value: Any, path: str) -> Any:
        if not isinstance(value, list):
            return self._note(json_kind(value), node.go_type)
        return [
            zero_value(items) if item is None else self._value(items, item, f"{path}[{index}]")
            for index, item in enumerate(value)
        ]

    def _scalar(self, node: Schema, value: Any) -> Any:
        kind = json_kind(value)
        if node.type == "string":
            if kind != "string":
                return self._note(kind, node.go_type)
            if node.role == "bytes":
                problem = base64_problem(value)
                if problem and not self._mismatch:
                    self._mismatch = problem
                return value.replace("\r", "").replace("\n", "")
            return value
        if node.type == "boolean":
            return value if kind == "bool" else self._note(kind, node.go_type)
        if node.type in {"integer", "number"}:
            if kind != "number":
                return self._note(kind, node.go_type)
            return self._number(node, value)
        # an object that says nothing of its fields
        return plain(value) if kind == "object" else self._note(kind, node.go_type)

    def _number(self, node: Schema, value: Any) -> Any:
        if node.type == "number":
            number = float(value)
            return number if math.isfinite(number) else self._note(f"number {number_text(value)}", node.go_type)
        limit = _LIMITS["int32" if node.format == "int32" else "int64"]
        if isinstance(value, int) and -limit <= value < limit:
            return value
        return self._note(f"number {number_text(value)}", node.go_type)

    def _role(self, node: Schema, value: Any, path: str) -> Any:
        """Types that read themselves: what they raise ends the reading."""
        if node.go_type == "interface {}":
            errors: dict[str, None] = {}
            _find_repeated(value, path, errors)
            self.strict_errors.extend(error for error in errors if error not in self.strict_errors)
        if node.role == "raw" or value is None:
            return plain(value)
        return read_role(node, value, self._words)


def read_role(node: Schema, value: Any, words: Any) -> Any:
    """A quantity, time or int-or-string; TypeMismatchError. `words(kind, go_type)` makes a message of a wrong type."""
    kind = json_kind(value)
    if node.role == "quantity":
        text = value if kind == "string" else number_text(value) if kind == "number" else gotext.json_text(value)
        try:
            return quantity.canonical(text)
        except quantity.QuantityError as error:
            raise TypeMismatchError(str(error)) from None
    if node.role == "int-or-string":
        if kind == "string":
            return value
        if kind == "number" and isinstance(value, int) and -(1 << 31) <= value < 1 << 31:
            return value
        raise TypeMismatchError(words(f"number {number_text(value)}" if kind == "number" else kind, "int32"))
    if kind != "string":
        raise TypeMismatchError(words(kind, "string"))
    try:
        return timestamps.canonical(value) if node.role == "time" else timestamps.canonical_micro(value)
    except timestamps.TimeError as error:
        raise TypeMismatchError(str(error)) from None


def _members(value: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    return value.pairs if isinstance(value, Pairs) else value.items()


def _put(out: dict[str, Any], key: str, value: Any, *, merge: bool) -> None:
    """A repeated member: Go reads structs and maps into what the first one left."""
    before = out.get(key)
    if merge and isinstance(before, dict) and isinstance(value, dict):
        before.update(value)
    else:
        out[key] = value


def repeated(value: Any) -> list[str]:
    """Repeated keys of a document without a schema, as strict errors in document order."""
    errors: dict[str, None] = {}
    _find_repeated(value, "", errors)
    return list(errors)[:_MAX_STRICT_ERRORS]


def _find_repeated(value: Any, path: str, errors: dict[str, None]) -> None:
    if isinstance(value, dict):
        seen: set[str] = set()
        for key, item in _members(value):
            here = f"{path}.{key}" if path else key
            if key in seen:
                errors[f"duplicate field {gotext.quote(here)}"] = None
            seen.add(key)
            _find_repeated(item, here, errors)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _find_repeated(item, f"{path}[{index}]", errors)


_GO_KINDS = {"bool": "bool", "string": "string", "array": "slice", "object": "map"}


def _go_kind(value: Any) -> str:
    kind = json_kind(value)
    if kind == "number":
        return "int64" if isinstance(value, int) else "float64"
    return _GO_KINDS[kind]


class Restorer:
    """Reads one value along its schema as FromUnstructuredWithValidation does; fields in the schema's order."""

    def __init__(self) -> None:
        self.strict_errors: list[str] = []

    def restore(self, node: Schema, value: Any, path: str = "") -> Any:
        """The value without what is unknown; TypeMismatchError."""
        if value is None:
            return None
        if node.role and node.role != "bytes":
            return value if node.role == "raw" else read_role(node, value, _plain_words)
        if node.is_struct:
            return self._struct(node, value, path)
        if node.additional is not None:
            if not isinstance(value, dict):
                raise TypeMismatchError(f"cannot restore map from {_go_kind(value)}")
            values = node.additional
            return {
                key: zero_value(values) if item is None else self.restore(values, item, path)
                for key, item in value.items()
            }
        if node.role == "bytes":
            return _restore_bytes(value)
        if node.items is not None:
            if not isinstance(value, list):
                raise TypeMismatchError(f"cannot restore slice from {_go_kind(value)}")
            items = node.items
            return [
                zero_value(items) if item is None else self.restore(items, item, f"{path}[{index}]")
                for index, item in enumerate(value)
            ]
        return _restore_scalar(node, value)

    def _struct(self, node: Schema, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise TypeMismatchError(f"cannot restore struct from: {_go_kind(value)}")
        out = {}
        for key, child in node.properties.items():
            if key in value:
                out[key] = self.restore(child, value[key], f"{path}.{key}" if path else key)
        for key in value:
            if key not in node.properties:
                self.strict_errors.append(f'unknown field "{path}.{key}"' if path else f'unknown field "{key}"')
        return out


def _plain_words(kind: str, go_type: str) -> str:
    return f"json: cannot unmarshal {kind} into Go value of type {go_type}"


def _restore_bytes(value: Any) -> Any:
    if not isinstance(value, str):
        raise TypeMismatchError(f"cannot restore slice from {_go_kind(value)}")
    problem = base64_problem(value)
    if problem:
        raise TypeMismatchError(f"error decoding from json: {problem}")
    return value.replace("\r", "").replace("\n", "")


def _restore_scalar(node: Schema, value: Any) -> Any:
    kind = _go_kind(value)
    target = node.go_type
    wanted = (
        "int64" if node.type == "integer" else {"boolean": "bool", "number": "float64"}.get(node.type or "", "string")
    )
    if node.type == "object":
        if kind != "map":
            raise TypeMismatchError(f"cannot restore struct from: {kind}")
        return value
    if wanted == "int64" and (kind == "int64" or (kind == "float64" and value == math.trunc(value))):
        return _cut(int(value), node)
    if kind == wanted or (wanted == "float64" and kind == "int64"):
        return value
    if (wanted == "int64" and kind == "float64") or (wanted == "string" and kind == "int64"):
        raise TypeMismatchError(f"cannot convert {kind} to {target}")
    basic = {"int64": "int32" if node.format == "int32" else "int64"}.get(wanted, wanted)
    raise TypeMismatchError(f"unrecognized type: {basic}")
