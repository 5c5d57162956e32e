"""Values held against their schema: wrong types, unknown and repeated fields, and the form in which objects are kept.

The gateway decodes request bodies with `decode_object` and the results of patches with `decode_value` (JSON and merge
patches) and `restore_value` (strategic merge). All give a new value as Go's structs would hold it: unknown fields and
nulls gone, empty lists and maps and zero scalars gone where Go omits them, quantities and times canonical. Messages are
those of sigs.k8s.io/json, of apimachinery's serializer and converter, and of apiserver's handlers.

A clean document takes the fast way (`fast_reader`); anything unusual raises `_Unusual` and the whole value is read
again by the exact reader (exactly.py), which finds the words.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from kubehop.machinery import codec, exactly, gotext, quantity, status, timestamps
from kubehop.machinery.exactly import TypeMismatchError
from kubehop.machinery.gojson import Pairs
from kubehop.machinery.objects import GroupVersionKind, Object, parse_group_version
from kubehop.machinery.schema import Schema

__all__ = [
    "Decoded",
    "Scheme",
    "TypeMismatchError",
    "complete",
    "decode_object",
    "decode_value",
    "interpret",
    "read_document",
    "restore_value",
    "strict_decoding_error",
    "untyped_errors",
    "with_type",
]

Reader = Callable[[Any], Any]

IGNORE: Final = "Ignore"
WARN: Final = "Warn"
STRICT: Final = "Strict"

_INT32: Final = (-(1 << 31), (1 << 31) - 1)
_INT64: Final = (-(1 << 63), (1 << 63) - 1)
_TYPE_META: Final = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)


@dataclass(slots=True)
class Decoded:
    """A value as it is kept, and what strict reading complains of, in document order."""

    value: Any
    strict_errors: list[str] = field(default_factory=list)


class Scheme(Protocol):
    """What decoding needs to know of kinds."""

    name: str
    """How messages call the scheme: kube-apiserver's is a place in its source."""

    def schema(self, group: str, version: str, kind: str) -> Schema | None:
        """The schema of a kind that can be read, None for one that nobody knows."""

    def convertible(self, actual: GroupVersionKind, expected: GroupVersionKind) -> bool:
        """Whether both are versions of the same kind, so that one can be turned into the other."""


class _Unusual(Exception):  # noqa: N818 - a signal, not an error
    """The fast way cannot go on; never seen outside."""


# --- the fast way -----------------------------------------------------------------------------------------------------


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
        raise _Unusual
    return value


def _read_boolean(value: Any) -> Any:
    if type(value) is not bool:
        raise _Unusual
    return value


def _read_int32(value: Any) -> Any:
    if type(value) is not int or not -0x80000000 <= value <= 0x7FFFFFFF:
        raise _Unusual
    return value


def _read_int64(value: Any) -> Any:
    if type(value) is not int or not _INT64[0] <= value <= _INT64[1]:
        raise _Unusual
    return value


def _read_number(value: Any) -> Any:
    if type(value) is float and math.isfinite(value):
        # Go writes whole floats without a point
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if type(value) is not int:
        raise _Unusual
    return value


def _read_anything(value: Any) -> Any:
    return value


def _read_object(value: Any) -> Any:
    if type(value) is not dict:
        raise _Unusual
    return value


def _read_quantity(value: Any) -> Any:
    if type(value) is int:
        value = str(value)
    elif type(value) is not str:
        raise _Unusual
    try:
        return quantity.canonical(value)
    except quantity.QuantityError:
        raise _Unusual from None


def _read_int_or_string(value: Any) -> Any:
    return value if type(value) is str else _read_int32(value)


def _read_time(value: Any) -> Any:
    try:
        return timestamps.canonical(_read_string(value))
    except timestamps.TimeError:
        raise _Unusual from None


def _read_micro_time(value: Any) -> Any:
    try:
        return timestamps.canonical_micro(_read_string(value))
    except timestamps.TimeError:
        raise _Unusual from None


def _read_bytes(value: Any) -> Any:
    if len(_read_string(value)) % 4:  # Python takes padding for granted that Go refuses
        raise _Unusual
    try:
        return base64.b64encode(base64.b64decode(value, validate=True)).decode()
    except (binascii.Error, ValueError):
        raise _Unusual from None


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
            raise _Unusual
        out = {}
        for key, item in value.items():
            reader = find(key)
            if reader is not type(item):
                if reader is None:
                    raise _Unusual
                if item is None:
                    continue
                if reader is str or reader is bool:
                    raise _Unusual
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
                raise _Unusual
            for item in value.values():
                if type(item) is not str:
                    raise _Unusual
            return dict(value)

        return read_strings

    def read(value: Any) -> Any:
        if type(value) is not dict:
            raise _Unusual
        reader = fast_reader(values)
        return {key: exactly.zero_value(values) if item is None else reader(item) for key, item in value.items()}

    return read


def _list_reader(items: Schema) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise _Unusual
        reader = fast_reader(items)
        return [exactly.zero_value(items) if item is None else reader(item) for item in value]

    return read


# --- values -----------------------------------------------------------------------------------------------------------


def decode_value(node: Schema, value: Any, *, exact: Callable[[], Any] | None = None, repeats: bool = False) -> Decoded:
    """Hold a decoded value against its schema as sigs.k8s.io/json does; TypeMismatchError.

    `exact` reads the document again with numbers as they were written, for messages. `repeats` says that the value
    is in the exact form already because keys may repeat in it.
    """
    if not repeats:
        try:
            return Decoded(fast_reader(node)(value))
        except _Unusual:
            value = exact() if exact is not None else value
    reader = exactly.JsonReader()
    resolved = reader.read(node, value)
    return Decoded(_read_resolved(node, resolved), reader.strict_errors)


def restore_value(node: Schema, value: Any) -> Decoded:
    """Hold a patched object against its schema as apimachinery's unstructured converter does; TypeMismatchError."""
    try:
        return Decoded(fast_reader(node)(value))
    except _Unusual:
        restorer = exactly.Restorer()
        resolved = restorer.restore(node, value)
        return Decoded(_read_resolved(node, resolved), sorted(restorer.strict_errors))


def _read_resolved(node: Schema, value: Any) -> Any:
    if value is None:
        return {} if node.is_struct else None
    try:
        return fast_reader(node)(value)
    except _Unusual as error:  # the exact readers let nothing through that the fast one stops at
        raise AssertionError(f"{node!r} was read exactly and still does not fit") from error


def strict_decoding_error(errors: list[str]) -> str:
    """All strict errors in the one message of runtime.NewStrictDecodingError."""
    return "strict decoding error: " + ", ".join(errors)


# --- objects ----------------------------------------------------------------------------------------------------------


def decode_object(
    data: bytes,
    media_type: str,
    scheme: Scheme,
    expected: GroupVersionKind,
    *,
    field_validation: str = "",
    check_version: bool = True,
) -> tuple[Object, list[str]]:
    """Read a request body that should be an object of the expected type: the object with its type, and warnings.

    `field_validation` is Ignore, Warn (also "") or Strict. Raises 400 in the words of apiserver's handlers. Without
    `check_version` any version of the kind will do.
    """
    strict = field_validation != IGNORE
    try:
        body = codec.decode(data, media_type, strict=strict)
        actual = interpret(body.value, expected, data)
    except codec.DecodeError as error:
        message = f"couldn't get version/kind; json parse error: {error}" if media_type != codec.YAML else str(error)
        raise _unrecognized(expected, message, data) from None
    except ValueError as error:
        raise _unrecognized(expected, str(error), data) from None
    try:
        decoded = _read_as(body.value, actual, scheme, expected, exact=body.exact, repeats=body.repeats)
    except ValueError as error:
        raise _unhandled(actual, expected, str(error)) from None
    errors = [*body.strict_errors, *decoded.strict_errors] if strict else []
    if errors and field_validation == STRICT:
        raise _unhandled(actual, expected, strict_decoding_error(errors))
    if check_version and actual.api_version != expected.api_version:
        raise status.bad_request(
            f"the API version in the data ({actual.api_version}) does not match "
            f"the expected API version ({expected.api_version})"
        )
    return with_type(decoded.value, actual), codec.strict_warnings(errors)


def with_type(value: Object, type_: GroupVersionKind) -> Object:
    """An object with its kind and apiVersion, first, in place of whatever it says."""
    obj: Object = {"kind": type_.kind, "apiVersion": type_.api_version}
    obj.update((key, item) for key, item in value.items() if key not in {"kind", "apiVersion"})
    return obj


def read_document(value: Any, scheme: Scheme, expected: GroupVersionKind) -> Decoded:
    """Hold a whole document, the result of a patch, against the kind that it has to be. ValueError in Go's words."""
    actual = interpret(value, expected)
    decoded = _read_as(value, actual, scheme, expected)
    decoded.value = with_type(decoded.value, actual)
    return decoded


def _read_as(
    value: Any,
    actual: GroupVersionKind,
    scheme: Scheme,
    expected: GroupVersionKind,
    *,
    exact: Callable[[], Any] | None = None,
    repeats: bool = False,
) -> Decoded:
    """Read a value by the kind that it states, which has to be a version of the expected one."""
    node = scheme.schema(*actual)
    if node is None:
        version = str(parse_group_version(actual.api_version))
        raise ValueError(
            f"no kind {gotext.quote(actual.kind)} is registered for version {gotext.quote(version)}"
            f" in scheme {gotext.quote(scheme.name)}"
        )
    decoded = decode_value(node, value if value is not None else {}, exact=exact, repeats=repeats)
    if not scheme.convertible(actual, expected):
        here = f"({actual.version}.{actual.kind}) to ({internal_package(expected.group)}.{expected.kind})"
        raise ValueError(f"converting {here}: unknown conversion")
    return decoded


def interpret(value: Any, expected: GroupVersionKind, data: bytes = b"") -> GroupVersionKind:
    """The type that a document states, completed with what is expected (serializer/json: Interpret, gvkWithDefaults).

    ValueError in Go's words; `data` is the body for one of them.
    """
    if value is None:
        return expected
    if not isinstance(value, dict):
        problem = f"json: cannot unmarshal {exactly.json_kind(value)} into Go value of type {_TYPE_META}"
        raise ValueError(f"couldn't get version/kind; json parse error: {problem}")  # noqa: TRY004 - one family
    stated = {}
    for name in ("apiVersion", "kind"):
        found = value.get(name, "")
        if found is None:
            found = ""
        if not isinstance(found, str):
            kind = exactly.json_kind(found)
            raise ValueError(  # noqa: TRY004 - one family
                f"couldn't get version/kind; json parse error: json: cannot unmarshal {kind} "
                f"into Go struct field .{name} of type string"
            )
        stated[name] = found
    group, version = parse_group_version(stated["apiVersion"])
    if not version and (not group or group == expected.group):
        group, version = expected.group, expected.version
    if not version:
        raise ValueError(f"Object 'apiVersion' is missing in '{data.decode('utf-8', 'replace')}'")
    return GroupVersionKind(group, version, stated["kind"] or expected.kind)


def _unrecognized(expected: GroupVersionKind, message: str, data: bytes) -> status.StatusError:
    return status.bad_request(
        f"the object provided is unrecognized (must be of type {expected.kind}): {message} ({summary(data)})"
    )


def _unhandled(actual: GroupVersionKind, expected: GroupVersionKind, message: str) -> status.StatusError:
    version = gotext.quote(actual.version)
    return status.bad_request(f"{actual.kind} in version {version} cannot be handled as a {expected.kind}: {message}")


def summary(data: bytes, limit: int = 30) -> str:
    """The beginning of a body for messages: as text if it starts like an object, else in hexadecimal."""
    if not data:
        return "<empty>"
    tail = " ..." if len(data) > limit else ""
    head = data[:limit]
    return (head.decode("utf-8", "replace") if data[:1] == b"{" else head.hex()) + tail


def internal_package(group: str) -> str:
    """The Go package of a group's internal types, as conversion errors print it."""
    if group == "internal.apiserver.k8s.io":
        return "apiserverinternal"
    return group.partition(".")[0] or "core"


# --- completion -------------------------------------------------------------------------------------------------------


def complete(node: Schema, value: Any) -> None:
    """Add, in place, what Go writes for absent fields: empty structs kept by value, zeros of fields without omitempty.

    For objects that are about to be stored or answered with; validation wants to see them before.
    """
    if node.is_struct:
        if not isinstance(value, dict):
            return
        for name in node.value_structs:
            if name not in value and name in node.properties:
                value[name] = {}
        for name in node.required if node.go is None else node.go.always:
            if name not in value and name in node.properties:
                pointer = node.go is not None and name in node.go.pointers
                value[name] = None if pointer else _written(node.properties[name])
        for name, item in value.items():
            if isinstance(item, (dict, list)):
                child = node.properties.get(name)
                if child is not None:
                    complete(child, item)
    elif node.items is not None:
        for item in value:
            complete(node.items, item)
    elif node.additional is not None and not node.role:
        for item in value.values():
            complete(node.additional, item)


def _written(node: Schema) -> Any:
    """The zero value of a field without omitempty, as JSON has it."""
    if node.role == "quantity":
        return "0"
    if node.role == "int-or-string":
        return 0
    if node.is_struct or node.role or node.items is not None or node.additional is not None:
        return None
    return exactly.zero_value(node)


def untyped_errors(value: Any) -> list[str]:
    """Strict errors of a document without a schema: its repeated keys (`value` in the exact form)."""
    return exactly.repeated(value) if isinstance(value, (dict, list, Pairs)) else []
