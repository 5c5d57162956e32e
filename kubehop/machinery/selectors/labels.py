"""Label selectors: `app=web,tier in (a,b),!old,weight>3`, parsed, matched and printed.

The gateway parses what a request asks for, storage matches objects with it; controllers and admission make selectors
from the LabelSelector of an object. Behaviour of k8s.io/apimachinery/pkg/labels; errors are ValueErrors with its words.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kubehop.machinery import fields, gotext, names

_TOKEN = re.compile(r"[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^=!(),<> \t\r\n\0]+))\0?")
_BINARY: Final = "in, notin, =, ==, !=, gt, lt"
_END: Final = ""


class Operator(enum.StrEnum):
    """How a requirement relates a label to its values; values are the strings of apimachinery's selection package."""

    DOES_NOT_EXIST = "!"
    EQUALS = "="
    DOUBLE_EQUALS = "=="
    IN = "in"
    NOT_EQUALS = "!="
    NOT_IN = "notin"
    EXISTS = "exists"
    GREATER_THAN = "gt"
    LESS_THAN = "lt"


_SYMBOLS = {
    "in": Operator.IN,
    "=": Operator.EQUALS,
    "==": Operator.DOUBLE_EQUALS,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
    "notin": Operator.NOT_IN,
    "!=": Operator.NOT_EQUALS,
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it; a label that is absent meets `!=` and `notin`."""
        value = labels.get(self.key)
        match self.operator:
            case Operator.IN | Operator.EQUALS | Operator.DOUBLE_EQUALS:
                return value is not None and value in self.values
            case Operator.NOT_IN | Operator.NOT_EQUALS:
                return value is None or value not in self.values
            case Operator.EXISTS:
                return value is not None
            case Operator.DOES_NOT_EXIST:
                return value is None
        if value is None or len(self.values) != 1:
            return False
        try:
            have, want = gotext.parse_int64(value), gotext.parse_int64(self.values[0])
        except ValueError:
            return False
        return have > want if self.operator is Operator.GREATER_THAN else have < want

    def __str__(self) -> str:
        values = ",".join(sorted(self.values))
        match self.operator:
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"
            case Operator.IN | Operator.NOT_IN:
                return f"{self.key} {self.operator} ({values})"
            case Operator.GREATER_THAN:
                return f"{self.key}>{values}"
            case Operator.LESS_THAN:
                return f"{self.key}<{values}"
        return f"{self.key}{self.operator}{values}"


class Selector:
    """Requirements that all have to be met, ordered by key. Immutable."""

    __slots__ = ("_checks", "_nothing", "requirements")

    def __init__(self, requirements: Iterable[Requirement] = (), *, nothing: bool = False) -> None:
        self.requirements = tuple(sorted(requirements, key=lambda requirement: requirement.key))
        self._nothing = nothing
        self._checks = tuple(map(_check, self.requirements))

    @property
    def empty(self) -> bool:
        """Whether it selects everything."""
        return not self.requirements and not self._nothing

    @property
    def selects_nothing(self) -> bool:
        """Whether it is the selector that matches no object at all."""
        return self._nothing

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        if self._nothing:
            return False
        return all(check(labels) for check in self._checks)

    def requires_exact_match(self, key: str) -> str | None:
        """The one value that a label has to have, if there is one."""
        for requirement in self.requirements:
            if requirement.key == key:
                exact = requirement.operator in {Operator.EQUALS, Operator.DOUBLE_EQUALS, Operator.IN}
                return requirement.values[0] if exact and len(requirement.values) == 1 else None
        return None

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))

    def __repr__(self) -> str:
        return "Selector(nothing=True)" if self._nothing else f"Selector({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Selector) and self._nothing == other._nothing and self.requirements == other.requirements
        )

    def __hash__(self) -> int:
        return hash((self._nothing, self.requirements))


def _check(requirement: Requirement) -> Callable[[Mapping[str, str]], bool]:
    """The cheapest test of the commonest requirements: lists are filtered through it object by object."""
    key = requirement.key
    if requirement.operator in {Operator.EQUALS, Operator.DOUBLE_EQUALS}:
        value = requirement.values[0]
        return lambda labels: labels.get(key) == value
    if requirement.operator is Operator.EXISTS:
        return lambda labels: key in labels
    if requirement.operator is Operator.DOES_NOT_EXIST:
        return lambda labels: key not in labels
    return requirement.matches


EVERYTHING: Final = Selector()
NOTHING: Final = Selector(nothing=True)


def requirement(
    key: str, operator: Operator, values: Sequence[str] = (), *, path: fields.Path | None = None
) -> Requirement:
    """A checked requirement; ValueError with all that is wrong with it (labels.NewRequirement)."""
    errors: list[fields.FieldError] = []
    if complaints := names.label_key(key):
        errors.append(fields.invalid(_child(path, "key"), key, "; ".join(complaints)))
    at = _child(path, "values")
    count = len(values)
    match operator:
        case Operator.IN | Operator.NOT_IN:
            if not count:
                errors.append(fields.invalid(at, [], "for 'in', 'notin' operators, values set can't be empty"))
        case Operator.EQUALS | Operator.DOUBLE_EQUALS | Operator.NOT_EQUALS:
            if count != 1:
                errors.append(fields.invalid(at, list(values), "exact-match compatibility requires one single value"))
        case Operator.EXISTS | Operator.DOES_NOT_EXIST:
            if count:
                errors.append(
                    fields.invalid(at, list(values), "values set must be empty for exists and does not exist")
                )
        case _:
            if count != 1:
                text = "for 'Gt', 'Lt' operators, exactly one value is required"
                errors.append(fields.invalid(at, list(values), text))
            errors.extend(_not_integers(at, values))
    for index, value in enumerate(values):
        if complaints := names.label_value(value):
            errors.append(fields.invalid(at.index(index).key(key), value, "; ".join(complaints)))
    if errors:
        raise ValueError(fields.to_aggregate(errors))
    return Requirement(key, operator, tuple(values))


def _child(path: fields.Path | None, name: str) -> fields.Path:
    return path.child(name) if path is not None else fields.Path(name)


def _not_integers(at: fields.Path, values: Sequence[str]) -> Iterable[fields.FieldError]:
    for index, value in enumerate(values):
        try:
            gotext.parse_int64(value)
        except ValueError:
            yield fields.invalid(at.index(index), value, "for 'Gt', 'Lt' operators, the value must be an integer")


def from_set(labels: Mapping[str, str]) -> Selector:
    """Selects objects that carry all these labels; an empty set selects everything. Nothing is checked."""
    return Selector(Requirement(key, Operator.EQUALS, (value,)) for key, value in labels.items())


_FROM_API = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}


def from_label_selector(selector: Mapping[str, Any] | None) -> Selector:
    """From a metav1.LabelSelector: None selects nothing, an empty one everything. ValueError when it is malformed."""
    if selector is None:
        return NOTHING
    requirements = [
        requirement(key, Operator.EQUALS, (value,)) for key, value in (selector.get("matchLabels") or {}).items()
    ]
    for expression in selector.get("matchExpressions") or ():
        name = expression.get("operator", "")
        operator = _FROM_API.get(name)
        if operator is None:
            raise ValueError(f"{gotext.quote(name)} is not a valid label selector operator")
        requirements.append(requirement(expression.get("key", ""), operator, expression.get("values") or ()))
    return Selector(requirements)


def parse(text: str) -> Selector:
    """Read the text form; "" selects everything. ValueError in apimachinery's words."""
    if not text:
        return EVERYTHING
    return Selector(_Parser(text).requirements())


class _Parser:
    """Recursive descent over the tokens of one selector; "" is the token at the end."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, bool]] = []  # literal, is a symbol
        at = 0
        while token := _TOKEN.match(text, at):
            self.tokens.append((token[1], True) if token[1] is not None else (token[2], False))
            at = token.end()
        self.tokens.append((_END, True))
        self.at = 0

    def peek(self) -> tuple[str, bool]:
        return self.tokens[self.at]

    def take(self) -> tuple[str, bool]:
        self.at += 1
        return self.tokens[self.at - 1]

    def requirements(self) -> Iterable[Requirement]:
        """All requirements in the order written."""
        while True:
            literal, symbol = self.peek()
            if symbol and literal == _END:
                return
            if symbol and literal != "!":
                raise ValueError(f"found '{literal}', expected: !, identifier, or 'end of string'")
            try:
                yield self.requirement()
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            literal, symbol = self.take()
            if symbol and literal == _END:
                return
            if not symbol or literal != ",":
                raise ValueError(f"found '{literal}', expected: ',' or 'end of string'")
            literal, symbol = self.peek()
            if symbol and literal != "!":
                raise ValueError(f"found '{literal}', expected: identifier after ','")

    def requirement(self) -> Requirement:
        key, symbol = self.take()
        absent = symbol and key == "!"
        if absent:
            key, symbol = self.take()
        if symbol:
            raise ValueError(f"found '{key}', expected: identifier")
        if complaints := names.label_key(key):
            raise ValueError(str(fields.invalid(None, key, "; ".join(complaints))))
        following, symbol = self.peek()
        if absent:
            return requirement(key, Operator.DOES_NOT_EXIST)
        if symbol and following in {_END, ","}:
            return requirement(key, Operator.EXISTS)
        operator = self.operator()
        values = self.values() if operator in {Operator.IN, Operator.NOT_IN} else self.value()
        return requirement(key, operator, sorted(values))

    def operator(self) -> Operator:
        literal, symbol = self.take()
        if not symbol and literal not in {"in", "notin"}:
            raise ValueError(f"found '{literal}', expected: {_BINARY}")
        operator = _SYMBOLS.get(literal)
        if operator is None:
            raise ValueError(f"found '{literal}', expected: {_BINARY}")
        return operator

    def value(self) -> set[str]:
        literal, symbol = self.peek()
        if symbol and literal in {_END, ","}:
            return {""}
        self.take()
        if symbol:
            raise ValueError(f"found '{literal}', expected: identifier")
        return {literal}

    def values(self) -> set[str]:
        literal, symbol = self.take()
        if not symbol or literal != "(":
            raise ValueError(f"found '{literal}' expected: '('")
        literal, symbol = self.peek()
        if symbol and literal == ")":
            self.take()
            return {""}
        if symbol and literal != ",":
            raise ValueError(f"found '{literal}', expected: ',', ')' or identifier")
        listed = self.identifiers()
        self.take()  # the parenthesis that ended the list
        return listed

    def identifiers(self) -> set[str]:
        """Values up to the closing parenthesis; nothing between two commas is the empty value."""
        values: set[str] = set()
        while True:
            literal, symbol = self.take()
            if not symbol:
                values.add(literal)
                following, symbol = self.peek()
                if symbol and following == ",":
                    continue
                if symbol and following == ")":
                    return values
                raise ValueError(f"found '{following}', expected: ',' or ')'")
            if literal != ",":
                raise ValueError(f"found '{literal}', expected: ',', or identifier")
            if not values:
                values.add("")
            following, symbol = self.peek()
            if symbol and following == ")":
                values.add("")
                return values
            if symbol and following == ",":
                values.add("")
