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

_spaced_colon = re.compile(rb'"[ \t\r\n]+:')
_space = re.compile(r"[ \t\r\n]*")
_number_rest = re.compile(r"(?:\.|[eE][+-]?)")
_WORDS = {"t": "true", "f": "false", "n": "null"}
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


def loads_exact(data: bytes) -> Any:
    """Read JSON slowly, keeping repeated keys (`Pairs`) and the text of numbers that are no plain integers.

    GoSyntaxError for what encoding/json refuses. As there, invalid UTF-8 and lone surrogates become U+FFFD.
    """
    text = data.decode("utf-8", "surrogateescape")
    if text[:1] == "\ufeff":
        raise GoSyntaxError(_unexpected(text, 0, "looking for beginning of value"))
    try:
        value = json.loads(
            text,
            parse_int=_integer,
            parse_float=NumberText,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
        return _texts(value)
    except json.JSONDecodeError as error:
        raise GoSyntaxError(_in_go(text, error)) from None
    except RecursionError:
        raise GoSyntaxError("exceeded max depth") from None


def _integer(text: str) -> int | float:
    if len(text) <= 20 and text != "-0":
        number = int(text)
        if -(1 << 63) <= number < 1 << 63:
            return number
    return NumberText(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    clean = [(_text(key), _texts(value)) for key, value in pairs]
    members = dict(clean)
    return members if len(members) == len(clean) else Pairs(clean)


def _texts(value: Any) -> Any:
    """A value whose objects are clean already."""
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """Without lone surrogates: those of bad bytes and those of bad escapes alike."""
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


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


# --- Go's words for what Python's parser found ------------------------------------------------------------------------


def _constant(name: str) -> Any:
    """Python reads NaN and Infinity; Go does not."""
    if name[0] == "-":
        raise GoSyntaxError("invalid character 'I' in numeric literal")
    raise GoSyntaxError(f"invalid character '{name[0]}' looking for beginning of value")


def _in_go(text: str, error: json.JSONDecodeError) -> str:
    """encoding/json's message for the place at which Python's parser stopped."""
    at, problem = error.pos, error.msg
    if problem.startswith("Unterminated string"):
        return _END
    if problem.startswith("Invalid control character"):
        return _unexpected(text, at, "in string literal")
    if problem.startswith("Invalid \\"):
        return _bad_escape(text, at)
    if problem.startswith("Illegal trailing comma"):
        # Python 3.13 points at the comma, others at what follows
        at, problem = at + 1, "Expecting property" if "object" in problem else "Expecting value"
    at = _past_space(text, at)
    if problem.startswith("Expecting property"):
        return _unexpected(text, at, "looking for beginning of object key string")
    if problem.startswith("Expecting ':'"):
        return _unexpected(text, at, "after object key")
    if problem.startswith("Expecting value"):
        return _bad_value(text, at)
    if at < len(text) and text[at - 1] in "0123456789" and (rest := _number_rest.match(text, at)):
        context = "after decimal point in numeric literal" if rest[0] == "." else "in exponent of numeric literal"
        return _unexpected(text, rest.end(), context)
    if problem.startswith("Extra data"):
        return _unexpected(text, at, "after top-level value")
    return _unexpected(text, at, "after object key:value pair" if _in_object(text, at) else "after array element")


def _past_space(text: str, at: int) -> int:
    match = _space.match(text, at)
    assert match is not None  # the pattern matches nothing, too
    return match.end()


def _unexpected(text: str, at: int, context: str) -> str:
    """The message about the byte at this place, or about there being none."""
    if at >= len(text):
        return _END
    char = chr(text[at].encode("utf-8", "surrogateescape")[0])
    quoted = {"'": "'\\''", '"': "'\"'"}.get(char) or f"'{gotext.quote(char)[1:-1]}'"
    return f"invalid character {quoted} {context}"


def _bad_escape(text: str, at: int) -> str:
    """Python points somewhere around the backslash: the offence is what follows it."""
    at = text.rfind("\\", 0, at + 2)
    while text[at - 1] == "\\" and at > 0:  # the second of a pair is what was meant
        at -= 1
    while text[at : at + 2] == "\\\\":
        at += 2
    at += 1
    if text[at : at + 1] != "u":
        return _unexpected(text, at, "in string escape code")
    at += 1
    while text[at : at + 1] and text[at] in "0123456789abcdefABCDEF":
        at += 1
    return _unexpected(text, at, "in \\u hexadecimal character escape")


def _bad_value(text: str, at: int) -> str:
    """A value that does not begin, or a word or sign that does not go on."""
    word = _WORDS.get(text[at : at + 1])
    if word is not None:
        for expected in word:
            if text[at : at + 1] != expected:
                return _unexpected(text, at, f"in literal {word} (expecting '{expected}')")
            at += 1
    if text[at : at + 1] == "-":
        return _unexpected(text, at + 1, "in numeric literal")
    return _unexpected(text, at, "looking for beginning of value")


def _in_object(text: str, at: int) -> bool:
    """Whether the innermost open bracket at this place is an object's: ask the parser how it takes a member."""
    member = ',"":'
    try:
        json.loads(text[:at] + member, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        return error.pos >= at + len(member)
    return False
