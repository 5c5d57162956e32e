"""Quantities: read, written canonically, compared and calculated with."""

from __future__ import annotations

import contextlib
import re
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubehop.machinery import quantity
from kubehop.machinery.quantity import Format, QuantityError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"), ("000", "0"), ("-0", "0"), ("1", "1"), ("+5", "+5"), ("0100", "0100"), ("0.5", "500m"),
        ("1.500", "1.500"), (".5", "500m"), ("5.", "5."), ("100m", "100m"), ("1000m", "1"), ("1500m", "1500m"),
        ("1000k", "1M"), ("1000000", "1M"), ("12e6", "12e6"), ("10e2", "1e3"), ("1e-3", "1e-3"), ("1E", "1E"),
        ("1Gi", "1Gi"), ("64Mi", "64Mi"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("0.5Ki", "512"),
        ("1.1Ki", "1126400m"), ("100Ei", "9223372036854775807"), ("0.1n", "1n"), ("1.0000000001", "1000000001n"),
        ("-1.5", "-1500m"), ("-0.5Gi", "-512Mi"), (" 1 ", "1"),
    ],
)  # fmt: skip
def test_canonical_form(text, canonical):
    """Quantities are kept as apimachinery keeps them, odd as it sometimes is."""
    assert quantity.canonical(text) == canonical


@pytest.mark.parametrize("text", ["", "abc", "1 Ki", "1.2.3", "1x", "1m1x", "é", "١"])
def test_no_quantities(text):
    """What is no number with a suffix is told the form."""
    with pytest.raises(QuantityError, match=re.escape(quantity.WRONG_FORMAT)):
        quantity.parse(text)


@pytest.mark.parametrize("text", ["1e", "1Ki3", "1ki", "--1", "1mm", "1e99999999999", "1e+"])
def test_unknown_suffixes(text):
    """A suffix that does not exist is named as the trouble."""
    with pytest.raises(QuantityError, match=re.escape(quantity.WRONG_SUFFIX)):
        quantity.parse(text)


def test_numbers():
    """Whole and thousandth values round away from zero."""
    assert quantity.parse("1.1").value == 2
    assert quantity.parse("-1.1").value == -2
    assert quantity.parse("1.0001").milli_value == 1001
    assert quantity.parse("2Ki").value == 2048
    assert quantity.parse("1500m").exact(-3)
    assert not quantity.parse("1500m").exact(0)
    assert [quantity.parse(text).sign for text in ("-1", "0", "1m")] == [-1, 0, 1]


def test_calculating():
    """Sums keep the format of what is not zero."""
    total = quantity.parse("0") + quantity.parse("1Gi")
    assert (str(total), total.format) == ("1Gi", Format.BINARY_SI)
    assert str(quantity.parse("500m") + quantity.parse("1")) == "1500m"
    assert str(quantity.parse("1Gi") - quantity.parse("512Mi")) == "512Mi"
    assert str(quantity.parse("250m") * 4) == "1"
    assert str(-quantity.parse("5")) == "-5"
    assert not quantity.parse("1") - quantity.parse("1000m")


_suffixes = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "e2": 2, "E-2": -2}


def _written(number, places, suffix):
    """A decimal with so many places, the number it is without them, and the suffix."""
    digits = str(abs(number)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"{'-' if number < 0 else ''}{text}{suffix}", number, places, suffix


_quantities = st.builds(_written, st.integers(-(10**9), 10**9), st.integers(0, 6), st.sampled_from(sorted(_suffixes)))


def _exact(parts):
    _, number, places, suffix = parts
    return Fraction(number, 10**places) * Fraction(10) ** _suffixes[suffix]


@given(_quantities, _quantities)
def test_order_is_that_of_the_numbers(left, right):
    """Quantities compare as the numbers that they write, whatever the form."""
    a, b = _exact(left), _exact(right)
    assume(all(one == 0 or (one * 10**9).denominator == 1 for one in (a, b)))
    assert (quantity.parse(left[0]) < quantity.parse(right[0])) == (a < b)
    assert (quantity.parse(left[0]) == quantity.parse(right[0])) == (a == b)


@given(
    st.one_of(
        _quantities.map(lambda parts: parts[0]), st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,3})?[KMGTPE]i", fullmatch=True)
    )
)
def test_canonical_form_is_stable_and_equal(text):
    """Written again it is the same text, and the same number."""
    once = quantity.canonical(text)
    assert quantity.parse(once) == quantity.parse(text)
    assert hash(quantity.parse(once)) == hash(quantity.parse(text))


@given(st.text(alphabet="0123456789.+-eEkKimMn ", max_size=12))
def test_no_text_breaks_it(text):
    """Any text is a quantity or a QuantityError."""
    with contextlib.suppress(QuantityError):
        quantity.canonical(text)
