"""Quantities: `500m`, `1Gi`, `12e6`, read, compared, calculated with and written in canonical form.

Schemas canonicalise the quantities of objects with `canonical`; quota, limit ranges and validation calculate with
`Quantity`. Behaviour of k8s.io/apimachinery/pkg/api/resource: fractions below a nano are rounded up, binary quantities
are capped at 2^63-1, and a text that is canonical enough is kept as it was written.
"""

from __future__ import annotations

import enum
import functools
import re
from typing import Final

_SPLIT = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII).fullmatch
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX: Final = {power: suffix for suffix, power in _DECIMAL.items()}
_BINARY_SUFFIX: Final = {power: suffix for suffix, power in _BINARY.items()}
_NANO: Final = -9
_MAX_BINARY: Final = (1 << 63) - 1
_MAX_EXPONENT: Final = 1000

WRONG_FORMAT: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
WRONG_SUFFIX: Final = "unable to parse quantity's suffix"


class QuantityError(ValueError):
    """A text that is no quantity."""


class Format(enum.StrEnum):
    """How a quantity is written."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


@functools.total_ordering
class Quantity:
    """An exact number, unscaled x 10^exponent, that remembers how to be written. Immutable; equal by value."""

    __slots__ = ("exponent", "format", "text", "unscaled")

    def __init__(self, unscaled: int, exponent: int = 0, form: Format = Format.DECIMAL_SI, text: str = "") -> None:
        self.unscaled = unscaled
        self.exponent = exponent
        self.format = form
        self.text = text

    @property
    def value(self) -> int:
        """The whole number, fractions rounded away from zero (Quantity.Value)."""
        return self.scaled(0)

    @property
    def milli_value(self) -> int:
        """The number of thousandths, fractions rounded away from zero."""
        return self.scaled(-3)

    def scaled(self, power: int) -> int:
        """The number in units of 10^power, fractions rounded away from zero."""
        shift = self.exponent - power
        if shift >= 0:
            return int(self.unscaled * 10**shift)
        return _divide_up(self.unscaled, 10**-shift)

    def exact(self, power: int) -> bool:
        """Whether it is a whole number of 10^power."""
        return self.exponent >= power or self.unscaled % int(10 ** (power - self.exponent)) == 0

    @property
    def sign(self) -> int:
        """-1, 0 or 1."""
        return (self.unscaled > 0) - (self.unscaled < 0)

    def __bool__(self) -> bool:
        return self.unscaled != 0

    def __add__(self, other: Quantity) -> Quantity:
        return self._combine(other, other.unscaled)

    def __sub__(self, other: Quantity) -> Quantity:
        return self._combine(other, -other.unscaled)

    def _combine(self, other: Quantity, unscaled: int) -> Quantity:
        low = min(self.exponent, other.exponent)
        total = self.unscaled * 10 ** (self.exponent - low) + unscaled * 10 ** (other.exponent - low)
        # a zero takes the other's format, as Quantity.Add does
        return Quantity(int(total), low, self.format if self.unscaled else other.format)

    def __neg__(self) -> Quantity:
        return Quantity(-self.unscaled, self.exponent, self.format)

    def __mul__(self, factor: int) -> Quantity:
        return Quantity(self.unscaled * factor, self.exponent, self.format)

    def _difference(self, other: Quantity) -> int:
        low = min(self.exponent, other.exponent)
        return int(self.unscaled * 10 ** (self.exponent - low) - other.unscaled * 10 ** (other.exponent - low))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self._difference(other) == 0

    def __lt__(self, other: Quantity) -> bool:
        return self._difference(other) < 0

    def __hash__(self) -> int:
        return hash(_without_factors(self.unscaled, self.exponent, 10))

    def __str__(self) -> str:
        return self.text or _canonical(self)

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"


def _divide_up(number: int, divisor: int) -> int:
    """Divide, rounding away from zero."""
    return -(-number // divisor) if number >= 0 else number // divisor


def parse(text: str) -> Quantity:
    """Read a quantity; QuantityError in apimachinery's words."""
    if not text:
        raise QuantityError(WRONG_FORMAT)
    if text == "0":
        return Quantity(0, 0, Format.DECIMAL_SI, "0")
    match = _SPLIT(text)
    if match is None:
        raise QuantityError(WRONG_FORMAT)
    sign, digits, fraction, suffix = match.groups()
    base, power, form = _suffix(suffix)
    digits = digits or "0"
    fraction = fraction or ""
    shifted = digits + fraction
    if len(shifted) > 1000:
        raise QuantityError("unable to parse numeric part of quantity")
    negative = sign == "-"
    number = int(shifted)
    if base == 2:
        return _binary(number, len(fraction), power, negative, _kept(text, digits, fraction, number, power))
    exponent = power - len(fraction)
    keep = (
        len(shifted) <= 18
        and exponent >= _NANO
        and exponent % 3 == 0
        and not shifted.endswith("000")
        and not shifted.startswith("0")
    )
    if exponent < _NANO:
        number, exponent = _divide_up(number, 10 ** (_NANO - exponent)), _NANO
    return Quantity(-number if negative else number, exponent, form, text if keep else "")


def _suffix(suffix: str) -> tuple[int, int, Format]:
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], Format.DECIMAL_SI
    if suffix in _BINARY:
        return 2, _BINARY[suffix], Format.BINARY_SI
    if len(suffix) > 1 and suffix[0] in "eE":
        try:
            power = int(suffix[1:]) if len(suffix) < 8 else _MAX_EXPONENT + 1
        except ValueError:
            raise QuantityError(WRONG_SUFFIX) from None
        # Go reads exponents up to 2^31 and then cannot calculate with them; nothing real comes near this
        if abs(power) <= _MAX_EXPONENT:
            return 10, power, Format.DECIMAL_EXPONENT
    raise QuantityError(WRONG_SUFFIX)


def _kept(text: str, digits: str, fraction: str, number: int, power: int) -> str:
    """The text of a binary quantity that Go's fast path keeps as it is, else ""."""
    precision = 15 - len(digits) - power * 3 // 10 - 1
    fits = number << power <= _MAX_BINARY
    return text if not fraction and precision >= 0 and fits and number & 7 else ""


def _binary(number: int, places: int, power: int, negative: bool, text: str) -> Quantity:
    number <<= power
    exponent = -places
    if exponent < _NANO:
        number, exponent = _divide_up(number, 10 ** (_NANO - exponent)), _NANO
    unit = 10**-exponent
    if number > _MAX_BINARY * unit:
        number, exponent, unit = _MAX_BINARY, 0, 1
    # below one it cannot be written in powers of 1024
    form = Format.DECIMAL_SI if 0 < number < unit else Format.BINARY_SI
    return Quantity(-number if negative else number, exponent, form, text)


def _without_factors(number: int, exponent: int, factor: int) -> tuple[int, int]:
    if number == 0:
        return 0, 0
    while number % factor == 0:
        number //= factor
        exponent += 1
    return number, exponent


def _canonical(quantity: Quantity) -> str:
    if not quantity:
        return "0"
    form = quantity.format
    if form is Format.BINARY_SI:
        if quantity.exact(0) and abs(quantity.value) >= 1024:
            number, times = _without_factors(quantity.value, 0, 1024)
            while times > 6:
                number, times = number * 1024, times - 1
            return f"{number}{_BINARY_SUFFIX[times * 10] if times else ''}"
        form = Format.DECIMAL_SI
    number, exponent = _without_factors(quantity.unscaled, quantity.exponent, 10)
    shift = exponent % 3
    number, exponent = number * 10**shift, exponent - shift
    if form is Format.DECIMAL_EXPONENT:
        return f"{number}e{exponent}" if exponent else str(number)
    if exponent > 18:
        number, exponent = number * 10 ** (exponent - 18), 18
    return f"{number}{_DECIMAL_SUFFIX[exponent]}"


@functools.lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """A quantity as objects store it; QuantityError. White space around it is ignored, as in JSON input."""
    return str(parse(text.strip()))
