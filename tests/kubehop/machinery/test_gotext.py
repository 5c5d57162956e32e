"""Text as Go prints it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery import gotext


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a b", '"a b"'),
        ('say "hi"\\', '"say \\"hi\\"\\\\"'),
        ("a\nb\t\x00\x7f", '"a\\nb\\t\\x00\\x7f"'),
        ("é ☺ \u200b", '"é ☺ \\u200b"'),
        ("\U0001f600\U000e0001", '"\U0001f600\\U000e0001"'),
        ("\udcff", '"\\xff"'),
    ],
)
def test_quote(text, quoted):
    """Strings are quoted as strconv.Quote does it."""
    assert gotext.quote(text) == quoted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (1.5, "1.5"), (-2.25, "-2.25"), (100000.0, "100000"), (0.0001, "0.0001"),
        (0.00001, "1e-05"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (1.25e22, "1.25e+22"),
        (123456789.125, "123456789.125"), (float("inf"), "+Inf"), (float("nan"), "NaN"),
    ],
)  # fmt: skip
def test_float(value, text):
    """Floats are printed as fmt's %v prints them."""
    assert gotext.float_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_read_back(value):
    """Whatever the form, it is the same number."""
    assert float(gotext.float_text(value)) == value


def test_value_text():
    """Decoded values are printed with sorted keys, in Go's brackets."""
    value = {"b": [1, "x", None, True], "a": {"z": 1.5}}
    assert gotext.value_text(value) == "map[a:map[z:1.5] b:[1 x <nil> true]]"


def test_json_text_escapes_html():
    """encoding/json writes angle brackets and ampersands as escapes."""
    assert (
        gotext.json_text({"b": "<a&b>", "a": 1 << 70}) == '{"b":"\\u003ca\\u0026b\\u003e","a":1180591620717411303424}'
    )
    assert gotext.json_text({"b": 1, "a": 2}, sort_keys=True) == '{"a":2,"b":1}'


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("", 'strconv.ParseInt: parsing "": invalid syntax'),
        ("1_0", 'strconv.ParseInt: parsing "1_0": invalid syntax'),
        ("9223372036854775808", 'strconv.ParseInt: parsing "9223372036854775808": value out of range'),
    ],
)
def test_integers_that_go_refuses(text, error):
    """Integers of queries fail in strconv's words."""
    with pytest.raises(ValueError, match="^" + error.replace("(", "\\(") + "$"):
        gotext.parse_int64(text)


def test_integers_that_go_reads():
    """Signs and any number of leading zeros are fine; resource versions have no sign."""
    assert [gotext.parse_int64(text) for text in ("+7", "-7", "0" * 5000 + "1")] == [7, -7, 1]
    assert gotext.parse_uint64("18446744073709551615") == (1 << 64) - 1
    for text in ("-1", "18446744073709551616"):
        with pytest.raises(ValueError, match=r"strconv\.ParseUint"):
            gotext.parse_uint64(text)
