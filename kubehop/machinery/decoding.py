"""Values held against their schema: wrong types, unknown and repeated fields, and the form in which objects are kept.

The gateway decodes request bodies with `decode_object` and the results of patches with `decode_value` (JSON and merge
patches) and `restore_value` (strategic merge). All give a new value as Go's structs would hold it: unknown fields and
nulls gone, empty lists and maps and zero scalars gone where Go omits them, quantities and times canonical. Messages are
those of sigs.k8s.io/json, of apimachinery's serializer and converter, and of apiserver's handlers.

A clean document takes the fast way (fastly.py); what is unusual is read again by an exact reader (exactly.py), which
finds the words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from kubehop.machinery import codec, exactly, gotext, status
from kubehop.machinery.completion import complete
from kubehop.machinery.exactly import TypeMismatchError
from kubehop.machinery.fastly import Unusual, fast_reader
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
    "fast_reader",
    "interpret",
    "read_document",
    "restore_value",
    "strict_decoding_error",
    "untyped_errors",
    "with_type",
]

IGNORE: Final = "Ignore"
WARN: Final = "Warn"
STRICT: Final = "Strict"

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


# --- values -----------------------------------------------------------------------------------------------------------


def decode_value(node: Schema, value: Any, *, exact: Callable[[], Any] | None = None, repeats: bool = False) -> Decoded:
    """Hold a decoded value against its schema as sigs.k8s.io/json does; TypeMismatchError.

    `exact` reads the document again with numbers as they were written, for messages. `repeats` says that the value
    is in the exact form already because keys may repeat in it.
    """
    if not repeats:
        try:
            return Decoded(fast_reader(node)(value))
        except Unusual:
            value = exact() if exact is not None else value
    reader = exactly.JsonReader()
    resolved = reader.read(node, value)
    return Decoded(_read_resolved(node, resolved), reader.strict_errors)


def restore_value(node: Schema, value: Any) -> Decoded:
    """Hold a patched object against its schema as apimachinery's unstructured converter does; TypeMismatchError."""
    try:
        return Decoded(fast_reader(node)(value))
    except Unusual:
        restorer = exactly.Restorer()
        resolved = restorer.restore(node, value)
        return Decoded(_read_resolved(node, resolved), sorted(restorer.strict_errors))


def _read_resolved(node: Schema, value: Any) -> Any:
    if value is None:
        return {} if node.is_struct else None
    try:
        return fast_reader(node)(value)
    except Unusual as error:  # the exact readers let nothing through that the fast one stops at
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


def untyped_errors(value: Any) -> list[str]:
    """Strict errors of a document without a schema: its repeated keys (`value` in the exact form)."""
    return exactly.repeated(value) if isinstance(value, (dict, list, Pairs)) else []
