"""Text as Go prints it: quoting, floats, `%v` of JSON values, encoding/json with its HTML escapes.

kube-apiserver's messages are made with fmt and encoding/json, and clients compare them; status, fields, schema and
the patches print values through here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

_PLAIN = re.compile(r"[ !#-\[\]-~]*\Z")
_ESCAPES = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip
_HTML = {0x26: "\\u0026", 0x3C: "\\u003c", 0x3E: "\\u003e", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def quote(text: str) -> str:
    """strconv.Quote, the `%q` of strings: control and unprintable characters escaped, the rest as it is."""
    if _PLAIN.match(text):
        return f'"{text}"'
    return '"' + "".join(map(_quote_char, text)) + '"'


def _quote_char(char: str) -> str:
    escaped = _ESCAPES.get(char)
    if escaped is not None:
        return escaped
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, kept by surrogateescape
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def float_text(value: float, exponent_from: int = 21) -> str:
    """A float64 as fmt's `%v` prints it: shortest form, exponent below 1e-4 and from 1e21."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    digits = mantissa.replace("-", "").replace(".", "").lstrip("0")
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    power = math.floor(math.log10(abs(value)))
    if exponent:
        whole = mantissa.lstrip("-").partition(".")[0]
        power = int(exponent) + len(whole) - 1
    else:
        whole, _, fraction = mantissa.lstrip("-").partition(".")
        power = len(whole) - 1 if whole != "0" else -(len(fraction) - len(fraction.lstrip("0")) + 1)
    digits = digits.rstrip("0") or "0"
    sign = "-" if value < 0 else ""
    if power < -4 or power >= exponent_from:
        tail = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{tail}e{'-' if power < 0 else '+'}{abs(power):02d}"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    if len(digits) <= power + 1:
        return f"{sign}{digits}{'0' * (power + 1 - len(digits))}"
    return f"{sign}{digits[: power + 1]}.{digits[power + 1 :]}"


def value_text(value: Any) -> str:
    """`%v` of a decoded JSON value: `map[a:b c:[1 2]]`, keys sorted, nil as `<nil>`."""
    if value is None:
        return "<nil>"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{value_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + " ".join(map(value_text, value)) + "]"
    return str(value)


def json_text(value: Any, *, sort_keys: bool = False) -> str:
    """encoding/json's Marshal: compact, `<`, `>`, `&` and the line separators escaped.

    Go sorts the keys of maps but keeps the declared order of structs: `sort_keys` is for maps.
    """
    try:
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None).decode()
    except TypeError:  # integers beyond 64 bits
        import json

        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys)
    return text.translate(_HTML) if any(mark in text for mark in "<>&\u2028\u2029") else text


def parse_int64(text: str) -> int:
    """strconv.ParseInt(text, 10, 64); ValueError with its words."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if not digits.isascii() or not digits.isdigit():
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    # longer ones are out of range unless padded; Python refuses to convert thousands of digits
    significant = digits.lstrip("0") or "0"
    number = int(significant) if len(significant) <= 20 else 1 << 64
    if text.startswith("-"):
        number = -number
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: value out of range")
    return number


def parse_uint64(text: str) -> int:
    """strconv.ParseUint(text, 10, 64), how resource versions are read; ValueError with its words."""
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: invalid syntax")
    significant = text.lstrip("0") or "0"
    number = int(significant) if len(significant) <= 20 else 1 << 64
    if number >= 1 << 64:
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: value out of range")
    return number
