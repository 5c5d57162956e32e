"""JSON as Go's decoder reads it: its syntax errors, its tolerance, and a slow exact reading for messages.

codec.py reads bodies with orjson and comes here when that fails (what would Go say?), when keys may repeat (which?) and
when a message has to print a number as it was written. Behaviour of encoding/json and sigs.k8s.io/json.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

from kubehop.machinery import gotext

MAX_DEPTH: Final = 250
"""Levels of nesting that objects may have: what orjson writes. (Go stops at 10,000; no kind comes near either.)"""

_STRING_START = r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_string_start = re.compile(_STRING_START.encode())
_number = re.compile(_NUMBER.encode())
_space = re.compile(rb"[ \t\r\n]*")
# runs of simple members, so that a long flat document with its mistake at the end is passed over quickly
_SCALAR = rf'(?:{_STRING_START}"|{_NUMBER}(?=[ \t\r\n,\]}}])|true|false|null)[ \t\r\n]*,[ \t\r\n]*'
_elements = re.compile(rf"(?:{_SCALAR})+".encode())
_members = re.compile(rf'(?:{_STRING_START}"[ \t\r\n]*:[ \t\r\n]*{_SCALAR})+'.encode())
_spaced_colon = re.compile(rb'"[ \t\r\n]+:')
_WORDS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_END: Final = "unexpected end of JSON input"


class GoSyntaxError(ValueError):
    """Bytes that are no JSON, with encoding/json's message."""


class NumberText(float):
    """A number of the exact reading that keeps how it was written."""

    text: str

    def __new__(cls, text: str) -> NumberText:
        """From the literal; infinite when it is beyond a float64."""
        number = super().__new__(cls, text)
        number.text = text
        return number


class Pairs(dict[str, Any]):
    """An object of the exact reading in which keys repeat: `pairs` has every member as written, the last one counts."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def loads(data: bytes) -> Any:
    """Read JSON; GoSyntaxError for what encoding/json refuses.

    Like Go, invalid UTF-8 and lone surrogates in strings become U+FFFD.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return _tolerant(data, exact=False)


def loads_exact(data: bytes) -> Any:
    """Read JSON slowly, keeping repeated keys (`Pairs`) and the text of numbers that are no plain integers."""
    return _tolerant(data, exact=True)


def _tolerant(data: bytes, *, exact: bool) -> Any:
    problem = syntax_error(data)
    if problem is not None:
        raise GoSyntaxError(problem)
    text = data.decode("utf-8", "surrogateescape")
    try:
        value = json.loads(
            text,
            parse_int=_exact_int if exact else _int,
            parse_float=NumberText if exact else float,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise GoSyntaxError("exceeded max depth") from None
    return value if exact else _without_pairs(value)


def _int(text: str) -> int | float:
    return int(text) if len(text) < 19 else _wide_int(text)


def _wide_int(text: str) -> int | float:
    number = int(text) if len(text) <= 20 else 0
    return number if len(text) <= 20 and -(1 << 63) <= number < 1 << 63 else float(text)


def _exact_int(text: str) -> int | float:
    number = _int(text)
    return number if isinstance(number, int) and text != "-0" else NumberText(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    clean = [(_text(key), _text(value) if isinstance(value, str) else _texts(value)) for key, value in pairs]
    members = dict(clean)
    return members if len(members) == len(clean) else Pairs(clean)


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(item) if isinstance(item, str) else _texts(item) for item in value]
    return value


def _text(text: str) -> str:
    """Without lone surrogates: those of bad bytes and those of bad escapes alike."""
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _without_pairs(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_pairs(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_text(item) if isinstance(item, str) else _without_pairs(item) for item in value]
    return _text(value) if isinstance(value, str) else value


def repeats_keys(data: bytes, value: Any) -> bool:
    """Whether some object in `data`, which was read as `value`, may have a key twice.

    Never misses one, rarely errs the other way. Bodies of clients are mostly compact and then equal to what orjson
    writes; else key tokens are counted in both forms.
    """
    try:
        compact = orjson.dumps(value)
    except TypeError:
        return True
    if compact == data or compact == data.rstrip():
        return False
    # a quote written as an escape would make a string look as if it held a key, or hide that it does
    if b"\\u0022" in data or _spaced_colon.search(data):
        return True
    return compact.count(b'":') != data.count(b'":')


def syntax_error(data: bytes) -> str | None:
    """What encoding/json says about bytes that are no JSON, None when they are."""
    return _Scanner(data).run()


class _Scanner:
    """encoding/json's scanner by tokens: finds the first offence and words it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.stack: list[bool] = []  # one entry a level: is it an object

    def run(self) -> str | None:
        problem = self.value()
        while problem is None:
            if not self.stack:
                self.spaces()
                return None if self.ended() else self.unexpected("after top-level value")
            problem = self.after_value()
        return problem

    def spaces(self) -> None:
        match = _space.match(self.data, self.at)
        assert match is not None  # the pattern matches nothing, too
        self.at = match.end()

    def ended(self) -> bool:
        return self.at >= len(self.data)

    def unexpected(self, context: str) -> str:
        """The message about the byte here, or about there being none."""
        return _END if self.ended() else f"invalid character {_quote(self.data[self.at])} {context}"

    def after_value(self) -> str | None:
        """A comma and what follows it, or the end of the innermost array or object."""
        in_object = self.stack[-1]
        self.spaces()
        if self.ended():
            return _END
        char = self.data[self.at]
        if char == (ord("}") if in_object else ord("]")):
            self.at += 1
            self.stack.pop()
            return None
        if char != ord(","):
            return self.unexpected("after object key:value pair" if in_object else "after array element")
        self.at += 1
        return self.member() if in_object else self.element()

    def element(self) -> str | None:
        self.spaces()
        run = _elements.match(self.data, self.at)
        if run:
            self.at = run.end()
        return self.value()

    def member(self) -> str | None:
        self.spaces()
        run = _members.match(self.data, self.at)
        if run:
            self.at = run.end()
        if self.ended() or self.data[self.at] != ord('"'):
            return self.unexpected("looking for beginning of object key string")
        problem = self.string()
        if problem is not None:
            return problem
        self.spaces()
        if self.ended() or self.data[self.at] != ord(":"):
            return self.unexpected("after object key")
        self.at += 1
        return self.value()

    def value(self) -> str | None:
        """One value; arrays and objects are entered, their end is left to after_value."""
        while True:
            self.spaces()
            if self.ended():
                return _END
            char = self.data[self.at]
            if char not in b"[{":
                return self.scalar(char)
            self.stack.append(char == ord("{"))
            if len(self.stack) > 10_000:
                return self.unexpected("exceeded max depth")
            self.at += 1
            self.spaces()
            if not self.ended() and self.data[self.at] == (ord("}") if self.stack[-1] else ord("]")):
                self.at += 1
                self.stack.pop()
                return None
            if self.stack[-1]:
                return self.member()
            run = _elements.match(self.data, self.at)
            if run:
                self.at = run.end()

    def scalar(self, char: int) -> str | None:
        if char == ord('"'):
            return self.string()
        if char in b"-0123456789":
            return self.number()
        word = _WORDS.get(char)
        if word is None:
            return self.unexpected("looking for beginning of value")
        for expected in word:
            if self.ended() or self.data[self.at] != expected:
                return self.unexpected(f"in literal {word.decode()} (expecting '{chr(expected)}')")
            self.at += 1
        return None

    def string(self) -> str | None:
        match = _string_start.match(self.data, self.at)
        assert match is not None  # called at a quotation mark
        self.at = match.end()
        if self.ended():
            return _END
        if self.data[self.at] == ord('"'):
            self.at += 1
            return None
        if self.data[self.at] != ord("\\"):
            return self.unexpected("in string literal")
        self.at += 1
        if self.ended() or self.data[self.at] != ord("u"):
            return self.unexpected("in string escape code")
        self.at += 1
        while not self.ended() and self.data[self.at] in b"0123456789abcdefABCDEF":
            self.at += 1
        return self.unexpected("in \\u hexadecimal character escape")

    def number(self) -> str | None:
        match = _number.match(self.data, self.at)
        if match is None:
            self.at += 1
            return self.unexpected("in numeric literal")
        self.at = match.end()
        if self.ended():
            return None
        char = self.data[self.at]
        text = match[0]
        if char == ord(".") and b"." not in text and b"e" not in text and b"E" not in text:
            self.at += 1
            return self.unexpected("after decimal point in numeric literal")
        if char in b"eE" and b"e" not in text and b"E" not in text:
            self.at += 1
            if not self.ended() and self.data[self.at] in b"+-":
                self.at += 1
            return self.unexpected("in exponent of numeric literal")
        return None


def _quote(char: int) -> str:
    if char == ord("'"):
        return "'\\''"
    if char == ord('"'):
        return "'\"'"
    return f"'{gotext.quote(chr(char))[1:-1]}'"
