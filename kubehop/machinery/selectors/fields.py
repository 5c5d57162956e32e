r"""Field selectors: `metadata.name=a,status.phase!=Running`, with `\\`, `\,` and `\=` escaped in values.

The gateway parses what a request asks for and checks the fields against what the resource supports; storage matches
objects with it. Behaviour of k8s.io/apimachinery/pkg/fields; errors are ValueErrors with its words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

_OPERATOR = re.compile("!=|==|=")
_TERM = re.compile(r"(?:[^\\,]|\\.|\\\Z)*", re.DOTALL)
_ESCAPED = str.maketrans({"\\": "\\\\", ",": "\\,", "=": "\\="})


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one field; operator is `=` or `!=`."""

    field: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{escape(self.value)}"


class Selector:
    """Requirements that all have to be met. Immutable."""

    __slots__ = ("requirements",)

    def __init__(self, requirements: Iterable[Requirement] = ()) -> None:
        self.requirements = tuple(requirements)

    @property
    def empty(self) -> bool:
        """Whether it selects everything."""
        return not self.requirements

    def matches(self, values: Mapping[str, str]) -> bool:
        """Whether an object with these field values is selected; a field that is absent is ""."""
        return all((values.get(term.field, "") == term.value) is (term.operator == "=") for term in self.requirements)

    def requires_exact_match(self, field: str) -> str | None:
        """The value that the field has to have, if there is one."""
        for term in self.requirements:
            if term.field == field and term.operator == "=":
                return term.value
        return None

    def transform(self, convert: Callable[[str, str], tuple[str, str]]) -> Selector:
        """Field and value of each requirement replaced by what `convert` returns; ("", "") drops the requirement.

        This is where a resource renames its fields or raises for those it does not support.
        """
        converted = []
        for term in self.requirements:
            field, value = convert(term.field, term.value)
            if field or value:
                converted.append(Requirement(field, term.operator, value))
        return Selector(converted)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))

    def __repr__(self) -> str:
        return f"Selector({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selector) and self.requirements == other.requirements

    def __hash__(self) -> int:
        return hash(self.requirements)


EVERYTHING: Final = Selector()


def parse(text: str) -> Selector:
    """Read the text form; "" selects everything. Terms are ordered by their text, as apimachinery orders them."""
    if not text:
        return EVERYTHING
    requirements = []
    for term in sorted(_terms(text)):
        if not term:
            continue
        operator = _OPERATOR.search(term)
        if operator is None:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
        sign = "!=" if operator[0] == "!=" else "="
        requirements.append(Requirement(term[: operator.start()], sign, unescape(term[operator.end() :])))
    return Selector(requirements)


def _terms(text: str) -> Iterable[str]:
    at = 0
    while True:
        term = _TERM.match(text, at)
        assert term is not None  # the pattern matches the empty string
        yield term[0]
        at = term.end() + 1
        if at > len(text):
            return


def from_set(values: Mapping[str, str]) -> Selector:
    """Selects objects whose fields have exactly these values."""
    return Selector(Requirement(field, "=", value) for field, value in values.items())


def escape(value: str) -> str:
    """A value as it stands in the text form."""
    return value.translate(_ESCAPED)


def unescape(value: str) -> str:
    """A value as it is meant; ValueError for an escape that does not exist or a bare comma or equals sign."""
    if "\\" not in value and "," not in value and "=" not in value:
        return value
    out: list[str] = []
    escaped = False
    for char in value:
        if escaped:
            if char not in "\\,=":
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{char}")
            out.append(char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in ",=":
            # the rune is printed as a number: Go's %v of a rune
            raise ValueError(f"invalid field selector: unescaped character in value: {ord(char)}")
        else:
            out.append(char)
    if escaped:
        raise ValueError("invalid field selector: invalid escape sequence: \\")
    return "".join(out)
