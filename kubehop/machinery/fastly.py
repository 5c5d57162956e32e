"""The fast readers of values that fit their schema: what clean documents, nearly all of them, are read with.

decoding.py tries these first. A reader is a function made once per schema node and kept on it; it returns a new value
in the form in which objects are kept, and raises `Unusual` for anything that it does not know to be in order, be it an
error or only a repeated key. Then exactly.py finds the words.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from kubehop.machinery import exactly, quantity, timestamps
from kubehop.machinery.schema import Schema

Reader = Callable[[Any], Any]
"""A value as sent -> the value as kept; raises Unusual."""

_INT64: Final = (-(1 << 63), (1 << 63) - 1)


class Unusual(Exception):  # noqa: N818 - a signal, not an error
    """The fast way cannot go on: the exact readers have to look."""


def fast_reader(node: Schema) -> Reader:
    """The function that reads values of this node; made once and kept on it."""
    made = node.codec
    if made is None:
        made = _make_reader(node)
        node.codec = made
    reader: Reader = made
    return reader


def _make_reader(node: Schema) -> Reader:
    if node.role:
        return _ROLES[node.role]
    if node.is_struct:
        return _struct_reader(node)
    if node.additional is not None:
        return _map_reader(node, node.additional)
    if node.items is not None:
        return _list_reader(node.items)
    if node.type == "integer":
        return _read_int32 if node.go_type == "int32" else _read_int64
    return _SCALARS[node.type or "object"]


def _read_string(value: Any) -> Any:
    if type(value) is not str:
        raise Unusual
    return value


def _read_boolean(value: Any) -> Any:
    if type(value) is not bool:
        raise Unusual
    return value


def _read_int32(value: Any) -> Any:
    if type(value) is not int or not -0x80000000 <= value <= 0x7FFFFFFF:
        raise Unusual
    return value


def _read_int64(value: Any) -> Any:
    if type(value) is not int or not _INT64[0] <= value <= _INT64[1]:
        raise Unusual
    return value


def _read_number(value: Any) -> Any:
    if type(value) is float and math.isfinite(value):
        # Go writes whole floats without a point
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if type(value) is not int:
        raise Unusual
    return value


def _read_anything(value: Any) -> Any:
    return value


def _read_object(value: Any) -> Any:
    if type(value) is not dict:
        raise Unusual
    return value


def _read_quantity(value: Any) -> Any:
    if type(value) is int:
        value = str(value)
    elif type(value) is not str:
        raise Unusual
    try:
        return quantity.canonical(value)
    except quantity.QuantityError:
        raise Unusual from None


def _read_int_or_string(value: Any) -> Any:
    return value if type(value) is str else _read_int32(value)


def _read_time(value: Any) -> Any:
    try:
        return timestamps.canonical(_read_string(value))
    except timestamps.TimeError:
        raise Unusual from None


def _read_micro_time(value: Any) -> Any:
    try:
        return timestamps.canonical_micro(_read_string(value))
    except timestamps.TimeError:
        raise Unusual from None


def _read_bytes(value: Any) -> Any:
    if len(_read_string(value)) % 4:  # Python takes padding for granted that Go refuses
        raise Unusual
    try:
        return base64.b64encode(base64.b64decode(value, validate=True)).decode()
    except (binascii.Error, ValueError):
        raise Unusual from None


_SCALARS: Final[Mapping[str, Reader]] = {
    "string": _read_string,
    "boolean": _read_boolean,
    "number": _read_number,
    "object": _read_object,
}
_ROLES: Final[Mapping[str, Reader]] = {
    "quantity": _read_quantity,
    "int-or-string": _read_int_or_string,
    "time": _read_time,
    "micro-time": _read_micro_time,
    "bytes": _read_bytes,
    "raw": _read_anything,
}


def kept_when_empty(node: Schema) -> frozenset[str]:
    """Fields of a struct whose zero values Go writes: structs, pointers and what has no omitempty.

    Where nobody said which scalars are pointers, all of them are kept.
    """
    go = node.go
    always = node.required if go is None else go.always
    pointers = frozenset[str]() if go is None else go.pointers
    kept = []
    for name, child in node.properties.items():
        composite = child.items is not None or child.additional is not None or child.role == "bytes"
        by_itself = child.is_struct or child.role in {"raw", "int-or-string"}
        if by_itself or name in always or (not composite and (go is None or name in pointers)):
            kept.append(name)
    return frozenset(kept)


def _struct_reader(node: Schema) -> Reader:
    table: dict[str, Any] = {}
    find = table.get
    keep = kept_when_empty(node)

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise Unusual
        out = {}
        for key, item in value.items():
            reader = find(key)
            if reader is not type(item):
                if reader is None:
                    raise Unusual
                if item is None:
                    continue
                if reader is str or reader is bool:
                    raise Unusual
                item = reader(item)  # noqa: PLW2901 - the value as it is kept
            if item or key in keep:
                out[key] = item
        return out

    node.codec = read  # before the fields are looked at: types refer to themselves
    for name, child in node.properties.items():
        reader = fast_reader(child)
        # plain strings and booleans, the commonest of all, are told by their type alone
        table[name] = str if reader is _read_string else bool if reader is _read_boolean else reader
    return read


def _map_reader(node: Schema, values: Schema) -> Reader:
    del node
    if values.type == "string" and not values.role:

        def read_strings(value: Any) -> Any:
            if type(value) is not dict:
                raise Unusual
            for item in value.values():
                if type(item) is not str:
                    raise Unusual
            return dict(value)

        return read_strings

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise Unusual
        reader = fast_reader(values)
        return {key: exactly.zero_value(values) if item is None else reader(item) for key, item in value.items()}

    return read


def _list_reader(items: Schema) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise Unusual
        reader = fast_reader(items)
        return [exactly.zero_value(items) if item is None else reader(item) for item in value]

    return read
