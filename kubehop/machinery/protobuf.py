"""Kubernetes' protobuf form of objects, read into the JSON form that everything else here speaks.

Called by the gateway for request bodies of type application/vnd.kubernetes.protobuf, which stock clients written in Go
send by default. The envelope is runtime.Unknown behind four magic bytes
(https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding); the fields of each message come from a
table (`kubehop.kinds.protobuf`). Fields that the table does not know are skipped, as every protobuf decoder does. What
comes out has zero values that JSON would leave out; `decoding` brings it into normal form like any other body.
"""

from __future__ import annotations

import base64
import datetime as dt
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

MAGIC = b"k8s\x00"
MAX_DEPTH = 100

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Fields = Mapping[str, tuple[str, str]]
"""By field number: the JSON name ("" for an embedded message) and the form: "string", "[]core.v1.Port", "{}bytes"."""


class ProtobufError(ValueError):
    """A body that is no Kubernetes protobuf."""


class Envelope(NamedTuple):
    """What runtime.Unknown says of its content."""

    api_version: str
    kind: str
    raw: bytes
    content_type: str


def unwrap(data: bytes) -> Envelope:
    """Open the envelope; raises ProtobufError."""
    if not data.startswith(MAGIC):
        raise ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    outer = dict(_length_delimited(data[len(MAGIC) :]))
    meta = dict(_length_delimited(outer.get(1, b"")))
    return Envelope(_text(meta.get(1, b"")), _text(meta.get(2, b"")), outer.get(2, b""), _text(outer.get(4, b"")))


class Reader:
    """Reads messages along a table."""

    def __init__(self, table: Callable[[str], Fields | None]) -> None:
        self._table = table

    def read(self, message: str, raw: bytes, depth: int = 0) -> dict[str, Any]:
        """The JSON form of a message; raises ProtobufError."""
        if depth > MAX_DEPTH:
            raise ProtobufError("the object is nested too deeply")
        fields = self._table(message)
        if fields is None:
            raise ProtobufError(f"no protobuf form of {message} is known")
        out: dict[str, Any] = {}
        for number, wire, content in _parts(raw):
            known = fields.get(str(number))
            if known is None:
                continue
            name, form = known
            if form.startswith("{}"):
                key, value = self._entry(form[2:], content, depth)
                out.setdefault(name, {})[key] = value
            elif form.startswith("[]"):
                values = out.setdefault(name, [])
                values.extend(self._repeated(form[2:], wire, content, depth))
            elif name:
                out[name] = self._value(form, wire, content, depth)
            else:
                out.update(self.read(form, _bytes(wire, content), depth + 1))
        return out

    def _entry(self, form: str, content: int | bytes, depth: int) -> tuple[str, Any]:
        key = ""
        value: Any = _ZERO[form] if form in _ZERO else self._value(form, _BYTES, b"", depth)
        for number, wire, part in _parts(_bytes(_BYTES, content)):
            if number == 1:
                key = _text(_bytes(wire, part))
            elif number == 2:
                value = self._value(form, wire, part, depth)
        return key, value

    def _repeated(self, form: str, wire: int, content: int | bytes, depth: int) -> Iterator[Any]:
        if wire == _BYTES and form in {"int32", "int64", "bool"}:  # packed
            at, raw = 0, _bytes(wire, content)
            while at < len(raw):
                number, at = _varint(raw, at)
                yield self._value(form, _VARINT, number, depth)
            return
        yield self._value(form, wire, content, depth)

    def _value(self, form: str, wire: int, content: int | bytes, depth: int) -> Any:
        scalar = _SCALARS.get(form)
        if scalar is not None:
            return scalar(wire, content)
        raw = _bytes(wire, content)
        special = _SPECIAL.get(form.rsplit(".", 1)[-1])
        if special is not None:
            return special(raw)
        value = self.read(form, raw, depth + 1)
        # Go's named slices (ExtraValue, Verbs) are messages of their items
        fields = self._table(form) or {}
        if [name for name, _ in fields.values()] == ["items"] and not form.endswith("List"):
            return value.get("items", [])
        return value


def _parts(raw: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Field number, wire type and content of each field of a message."""
    at, end = 0, len(raw)
    while at < end:
        tag, at = _varint(raw, at)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise ProtobufError("proto: illegal tag 0 (wire type 0)")
        content: int | bytes
        if wire == _VARINT:
            content, at = _varint(raw, at)
        elif wire == _BYTES:
            size, at = _varint(raw, at)
            content = raw[at : at + size]
            if len(content) != size:
                raise ProtobufError("unexpected EOF")
            at += size
        elif wire in {_FIXED64, _FIXED32}:
            size = 8 if wire == _FIXED64 else 4
            content = raw[at : at + size]
            if len(content) != size:
                raise ProtobufError("unexpected EOF")
            at += size
        else:
            raise ProtobufError(f"proto: illegal wireType {wire}")
        yield number, wire, content


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(raw):
            raise ProtobufError("unexpected EOF")
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift >= 64:
            raise ProtobufError("proto: integer overflow")


def _length_delimited(raw: bytes) -> Iterator[tuple[int, bytes]]:
    for number, wire, content in _parts(raw):
        if wire == _BYTES and isinstance(content, bytes):
            yield number, content


def _bytes(wire: int, content: int | bytes) -> bytes:
    if wire != _BYTES or isinstance(content, int):
        raise ProtobufError(f"proto: wrong wireType = {wire}")
    return content


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ProtobufError("proto: a string is not valid UTF-8") from error


def _number(wire: int, content: int | bytes) -> int:
    if wire != _VARINT or not isinstance(content, int):
        raise ProtobufError(f"proto: wrong wireType = {wire}")
    return content


def _int64(wire: int, content: int | bytes) -> int:
    value = _number(wire, content)
    return value - (1 << 64) if value >= 1 << 63 else value


def _int32(wire: int, content: int | bytes) -> int:
    value = _number(wire, content) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def _double(wire: int, content: int | bytes) -> float:
    if wire != _FIXED64 or isinstance(content, int):
        raise ProtobufError(f"proto: wrong wireType = {wire}")
    return float(struct.unpack("<d", content)[0])


_SCALARS: dict[str, Callable[[int, int | bytes], Any]] = {
    "string": lambda wire, content: _text(_bytes(wire, content)),
    "bytes": lambda wire, content: base64.b64encode(_bytes(wire, content)).decode(),
    "bool": lambda wire, content: _number(wire, content) != 0,
    "int32": _int32,
    "int64": _int64,
    "double": _double,
}
_ZERO: dict[str, Any] = {"string": "", "bytes": "", "bool": False, "int32": 0, "int64": 0, "double": 0.0}


def _numbers(raw: bytes) -> dict[int, int]:
    return {n: _int64(w, c) for n, w, c in _parts(raw) if w == _VARINT}


def _moment(raw: bytes) -> tuple[dt.datetime | None, int]:
    found = _numbers(raw)
    seconds, nanos = found.get(1, 0), found.get(2, 0)
    if not seconds and not nanos:
        return None, 0
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC), nanos
    except (OverflowError, ValueError, OSError) as error:
        raise ProtobufError(f"proto: {seconds} seconds are no time") from error


def _time(raw: bytes) -> str | None:
    moment, _ = _moment(raw)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(raw: bytes) -> str | None:
    moment, nanos = _moment(raw)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{nanos // 1000:06d}Z"


def _int_or_string(raw: bytes) -> int | str:
    numbers, texts = _numbers(raw), dict(_length_delimited(raw))
    return _text(texts.get(3, b"")) if numbers.get(1, 0) else _int32(_VARINT, numbers.get(2, 0) & 0xFFFFFFFF)


def _quantity(raw: bytes) -> str:
    return _text(dict(_length_delimited(raw)).get(1, b"")) or "0"


def _json(raw: bytes) -> Any:
    content = dict(_length_delimited(raw)).get(1, b"")
    if not content:
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ProtobufError(f"the JSON inside the message is not valid: {error}") from error


_SPECIAL: dict[str, Callable[[bytes], Any]] = {
    "Time": _time,
    "MicroTime": _micro_time,
    "IntOrString": _int_or_string,
    "Quantity": _quantity,
    "RawExtension": _json,
    "FieldsV1": _json,
    "JSON": _json,
}
