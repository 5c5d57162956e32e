"""Objects as bytes: finding metadata in JSON, and putting the resourceVersion there, without decoding the object.

Stored values are JSON without resourceVersion; what is served carries the value's etcd revision as
metadata.resourceVersion. Both are kept as two pieces that only need to be joined:

    head  {"kind":"Pod","apiVersion":"v1",            the same for all objects of a kind, shared in memory
    rest  "name":"web",...},"spec":{...}}              what follows the opening brace of metadata

Values that kube-apiserver or this service wrote begin exactly like that. Anything else that is a JSON object is brought
into this form once, by a scanner that knows strings and nesting, so text inside values never passes for a member.
Called by the store for each write, and by `Entry` for each value that comes from etcd.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import orjson

METADATA: Final = b'"metadata":{'
_USUAL: Final = re.compile(rb'\{"kind":"[^"\\]*+","apiVersion":"[^"\\]*+",(?="metadata":\{)')
_SPACE: Final = re.compile(rb"[ \t\r\n]*+")
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SCALAR: Final = re.compile(rb"[^,\]}\s]++")
_STRUCTURE: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]', re.DOTALL)

# heads repeat for every object of a kind: one bytes object each
_heads: dict[bytes, bytes] = {}


class MalformedError(ValueError):
    """The bytes are not a JSON object with a metadata object."""


class Document(NamedTuple):
    """An object in two pieces; see the module."""

    head: bytes
    rest: bytes

    def stored(self) -> bytes:
        """The value as etcd keeps it."""
        return self.head + METADATA + self.rest


def body(rest: bytes, revision: int) -> bytes:
    """Everything after head, with the revision as metadata's first member."""
    if rest[:1] == b"}":
        return b'"metadata":{"resourceVersion":"%d"%b' % (revision, rest)
    return b'"metadata":{"resourceVersion":"%d",%b' % (revision, rest)


def rest_of(spliced: bytes, revision: int) -> bytes:
    """Undo `body`."""
    end = len(b'"metadata":{"resourceVersion":""') + len(str(revision))
    return spliced[end + 1 :] if spliced[end : end + 1] == b"," else spliced[end:]


def read(value: bytes) -> Document:
    """Split a value that came from etcd, trusting that values of the usual form are whole.

    Raises:
        MalformedError: not a JSON object.
    """
    usual = _USUAL.match(value)
    if usual is None or b'"resourceVersion"' in value or value[-1:] not in (b"}", b"\n"):
        return _rebuilt(value)
    end = usual.end()
    rest = value[end + len(METADATA) :]
    if rest[:1] not in (b'"', b"}"):
        return _rebuilt(value)
    return Document(_head(value[:end]), rest.rstrip() if rest[-1:] == b"\n" else rest)


def written(value: bytes) -> Document:
    """Split an object that is about to be stored, after making sure that it is JSON.

    Raises:
        MalformedError: not a JSON object with a metadata object.
    """
    try:
        loaded = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise MalformedError(str(error)) from None
    if not isinstance(loaded, dict) or not isinstance(loaded.get("metadata"), dict):
        raise MalformedError("an object needs metadata")
    return read(value)


def _head(piece: bytes) -> bytes:
    known = _heads.get(piece)
    if known is None:
        if len(_heads) > 4096:  # kinds come from whoever writes definitions: keep the table small
            _heads.clear()
        known = _heads.setdefault(piece, piece)
    return known


def _rebuilt(value: bytes) -> Document:
    """Bring a JSON object into the usual form: kind, apiVersion, metadata without resourceVersion, the others."""
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise MalformedError(str(error)) from None
    members = _members(value, _skip_space(value, 0))
    kind = members.pop("kind", None)
    version = members.pop("apiVersion", None)
    metadata = members.pop("metadata", b"{}")
    head = b"{"
    if kind is not None:
        head += b'"kind":' + kind + b","
    if version is not None:
        head += b'"apiVersion":' + version + b","
    inner = {} if metadata == b"null" else _members(metadata, 0)
    inner.pop("resourceVersion", None)
    rest = _joined(inner) + b"}"
    if members:
        rest += b"," + _joined(members)
    return Document(_head(head), rest + b"}")


def _joined(members: dict[str, bytes]) -> bytes:
    return b",".join(orjson.dumps(name) + b":" + value for name, value in members.items())


def _skip_space(value: bytes, at: int) -> int:
    space = _SPACE.match(value, at)
    return space.end() if space else at


def _members(value: bytes, at: int) -> dict[str, bytes]:
    """Raw values of an object's members by name, in order; of repeated names the last, as decoders have it."""
    if value[at : at + 1] != b"{":
        raise MalformedError("not a JSON object")
    members: dict[str, bytes] = {}
    at = _skip_space(value, at + 1)
    while value[at : at + 1] != b"}":
        name = _STRING.match(value, at)
        if name is None:
            raise MalformedError("not a JSON object")
        at = _skip_space(value, _skip_space(value, name.end()) + 1)  # over the colon
        end = _value_end(value, at)
        members[orjson.loads(name.group())] = value[at:end]
        at = _skip_space(value, end)
        if value[at : at + 1] == b",":
            at = _skip_space(value, at + 1)
    return members


def _value_end(value: bytes, at: int) -> int:
    first = value[at : at + 1]
    if first == b'"':
        match = _STRING.match(value, at)
    elif first in (b"{", b"["):
        depth = 0
        for token in _STRUCTURE.finditer(value, at):
            mark = token.group()
            if mark in (b"{", b"["):
                depth += 1
            elif mark in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    return token.end()
        raise MalformedError("not a JSON value")
    else:
        match = _SCALAR.match(value, at)
    if match is None:
        raise MalformedError("not a JSON value")
    return match.end()
