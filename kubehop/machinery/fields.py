"""Field errors: where in an object something is wrong, what kind of wrong, and kube-apiserver's words for it.

Kinds and validators build `FieldError`s on `Path`s; `status.invalid` turns a list of them into the 422 answer.
Behaviour of k8s.io/apimachinery/pkg/util/validation/field (errors.go, path.go).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import Any

from kubehop.machinery import gotext


class ErrorType(enum.StrEnum):
    """What is wrong; the value is the `reason` of a Status cause, `label` begins the message."""

    NOT_FOUND = "FieldValueNotFound"
    REQUIRED = "FieldValueRequired"
    DUPLICATE = "FieldValueDuplicate"
    INVALID = "FieldValueInvalid"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    TOO_LONG = "FieldValueTooLong"
    TOO_SHORT = "FieldValueTooShort"
    TOO_MANY = "FieldValueTooMany"
    TOO_FEW = "FieldValueTooFew"
    INTERNAL = "InternalError"
    TYPE_INVALID = "FieldValueTypeInvalid"

    @property
    def label(self) -> str:
        """The words with which a message of this type begins."""
        return _LABELS[self]


_LABELS = {
    ErrorType.NOT_FOUND: "Not found",
    ErrorType.REQUIRED: "Required value",
    ErrorType.DUPLICATE: "Duplicate value",
    ErrorType.INVALID: "Invalid value",
    ErrorType.NOT_SUPPORTED: "Unsupported value",
    ErrorType.FORBIDDEN: "Forbidden",
    ErrorType.TOO_LONG: "Too long",
    ErrorType.TOO_SHORT: "Too short",
    ErrorType.TOO_MANY: "Too many",
    ErrorType.TOO_FEW: "Too few",
    ErrorType.INTERNAL: "Internal error",
    ErrorType.TYPE_INVALID: "Invalid value",
}
_WITHOUT_VALUE = frozenset(
    {ErrorType.REQUIRED, ErrorType.FORBIDDEN, ErrorType.TOO_LONG, ErrorType.TOO_SHORT, ErrorType.INTERNAL}
)


class Literal(str):
    """A value to print exactly as written: for values whose Go form is not their JSON (internal structs, durations)."""

    __slots__ = ()


class _Omitted:
    __slots__ = ()


OMITTED = _Omitted()
"""Bad value of an error that prints none."""


class Path:
    """Where a field is: `spec.containers[0].env[KEY]`. Immutable; children share their parents."""

    __slots__ = ("_index", "_name", "_parent")

    def __init__(self, name: str, *more: str, parent: Path | None = None, index: str | None = None) -> None:
        if more:
            parent = Path(name, *more[:-1], parent=parent)
            name = more[-1]
        self._name = name
        self._index = index
        self._parent = parent

    def child(self, name: str, *more: str) -> Path:
        """The field of that name below this one (and further below for more names)."""
        path = _step(self, name, None)
        for another in more:
            path = _step(path, another, None)
        return path

    def index(self, index: int) -> Path:
        """An element of this list."""
        return _step(self, "", str(index))

    def key(self, key: str) -> Path:
        """An entry of this map."""
        return _step(self, "", key)

    def __str__(self) -> str:
        steps: list[str] = []
        step: Path | None = self
        while step is not None:
            if step._name:
                steps.append(f".{step._name}" if step._parent is not None else step._name)
            else:
                steps.append(f"[{step._index or ''}]")
            step = step._parent
        steps.reverse()
        return "".join(steps)

    def __repr__(self) -> str:
        return f"Path({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def _step(parent: Path, name: str, index: str | None) -> Path:
    # validation makes dozens of paths per object: this is twice as fast as the constructor
    path = object.__new__(Path)
    path._name = name
    path._index = index
    path._parent = parent
    return path


class FieldError:
    """One thing wrong with one field."""

    __slots__ = ("detail", "field", "type", "value")

    def __init__(self, type: ErrorType, field: Path | str | None, value: Any, detail: str) -> None:  # noqa: A002 - as in Status
        self.type = type
        self.field = "<nil>" if field is None else str(field)
        self.value = value
        self.detail = detail

    @property
    def body(self) -> str:
        """The message without the field: what a Status cause says."""
        text = self.type.label
        if self.type not in _WITHOUT_VALUE and self.value is not OMITTED:
            text = f"{text}: {_value_text(self.value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"

    def __repr__(self) -> str:
        return f"FieldError({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldError) and self.type is other.type and str(self) == str(other)

    def __hash__(self) -> int:
        return hash((self.type, str(self)))


def _value_text(value: Any) -> str:
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, str):
        return gotext.quote(value)
    if isinstance(value, float):
        return gotext.float_text(value)
    return gotext.json_text(value)


def required(path: Path | str | None, detail: str = "") -> FieldError:
    """The field has to be there (and not be empty)."""
    return FieldError(ErrorType.REQUIRED, path, "", detail)


def invalid(path: Path | str | None, value: Any, detail: str) -> FieldError:
    """The value is malformed or out of bounds."""
    return FieldError(ErrorType.INVALID, path, value, detail)


def type_invalid(path: Path | str | None, value: Any, detail: str) -> FieldError:
    """The value has the wrong type."""
    return FieldError(ErrorType.TYPE_INVALID, path, value, detail)


def not_supported(path: Path | str | None, value: Any, supported: Iterable[str]) -> FieldError:
    """The value is none of the supported ones, which are listed in the order given."""
    listed = ", ".join(map(gotext.quote, supported))
    return FieldError(ErrorType.NOT_SUPPORTED, path, value, f"supported values: {listed}" if listed else "")


def forbidden(path: Path | str | None, detail: str) -> FieldError:
    """The field may not be set (so) under the present conditions."""
    return FieldError(ErrorType.FORBIDDEN, path, "", detail)


def not_found(path: Path | str | None, value: Any) -> FieldError:
    """The value refers to something that does not exist."""
    return FieldError(ErrorType.NOT_FOUND, path, value, "")


def duplicate(path: Path | str | None, value: Any) -> FieldError:
    """The value has to be unique and is not."""
    return FieldError(ErrorType.DUPLICATE, path, value, "")


def too_long(path: Path | str | None, limit: int) -> FieldError:
    """The value has more than `limit` bytes (a negative limit is not mentioned)."""
    return FieldError(ErrorType.TOO_LONG, path, OMITTED, _length_text(limit, "byte", "value is too long"))


def too_long_characters(path: Path | str | None, limit: int) -> FieldError:
    """The value has more than `limit` characters."""
    return FieldError(ErrorType.TOO_LONG, path, OMITTED, _length_text(limit, "character", "value is too long"))


def _length_text(limit: int, unit: str, otherwise: str) -> str:
    return f"may not be more than {limit} {unit}{'' if limit == 1 else 's'}" if limit >= 0 else otherwise


def too_short(path: Path | str | None, value: Any, limit: int) -> FieldError:
    """The value has fewer than `limit` characters."""
    text = f"must be at least {limit} character{'' if limit == 1 else 's'}" if limit >= 0 else "value is too short"
    return FieldError(ErrorType.TOO_SHORT, path, value, text)


def too_many(path: Path | str | None, actual: int, limit: int) -> FieldError:
    """The list has more than `limit` items; a negative actual number is not mentioned."""
    text = f"must have at most {limit} item{'' if limit == 1 else 's'}" if limit >= 0 else "has too many items"
    return FieldError(ErrorType.TOO_MANY, path, actual if actual >= 0 else OMITTED, text)


def too_few(path: Path | str | None, actual: int, limit: int) -> FieldError:
    """The list has fewer than `limit` items."""
    text = f"must have at least {limit} item{'' if limit == 1 else 's'}" if limit >= 0 else "has too few items"
    return FieldError(ErrorType.TOO_FEW, path, actual, text)


def internal(path: Path | str | None, error: str) -> FieldError:
    """Validation itself failed."""
    return FieldError(ErrorType.INTERNAL, path, OMITTED, error)


def immutable(path: Path | str | None, new: Any) -> FieldError:
    """The field was changed and may not be."""
    return FieldError(ErrorType.INVALID, path, new, "field is immutable")


def to_aggregate(errors: Sequence[FieldError]) -> str:
    """All errors in one line: the error itself if it is one, else `[first, second]`, each text once."""
    texts = list(dict.fromkeys(map(str, errors)))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]" if texts else ""


def to_causes(errors: Sequence[FieldError]) -> list[dict[str, str]]:
    """The causes of a Status, in Status key order; none is dropped, repeated ones included."""
    causes = []
    for error in errors:
        cause = {"reason": str(error.type), "message": error.body}
        if error.field:
            cause["field"] = error.field
        causes.append(cause)
    return causes
