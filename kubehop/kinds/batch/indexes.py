"""Indexes of a job's pods, written as `1,3-5`: read, counted, compared (validateIndexesFormat)."""

from __future__ import annotations

from collections.abc import Iterator

from kubehop.machinery import gotext


class IndexesError(ValueError):
    """A text that lists no indexes."""


def _interval(text: str, completions: int) -> tuple[int, int]:
    parts = text.split("-")
    if len(parts) > 2:
        raise IndexesError(
            f"the fragment {gotext.quote(text)} violates the requirement that an index interval "
            "can have at most two parts separated by '-'"
        )
    low = _index(parts[0], completions)
    if len(parts) == 1:
        return low, low
    high = _index(parts[1], completions)
    if low >= high:
        raise IndexesError(f"non-increasing order, previous: {low}, current: {high}")
    return low, high


def _index(text: str, completions: int) -> int:
    try:
        number = gotext.parse_int64(text)
    except ValueError:
        raise IndexesError(f"cannot convert string to integer for index: {gotext.quote(text)}") from None
    if number >= completions:
        raise IndexesError(f"too large index: {gotext.quote(text)}")
    return number


def count_indexes(text: str, completions: int) -> int:
    """Return how many indexes a text lists. Raises IndexesError."""
    total, last = 0, None
    for part in text.split(",") if text else ():
        low, high = _interval(part, completions)
        if last is not None and last >= low:
            raise IndexesError(f"non-increasing order, previous: {last}, current: {low}")
        total, last = total + high - low + 1, high
    return total


def first_common(one: str, other: str, completions: int) -> int | None:
    """Return the first index that both texts list, None where there is none; parts that cannot be read do not count."""
    found = [
        max(low, other_low)
        for low, high in _readable(one, completions)
        for other_low, other_high in _readable(other, completions)
        if low <= other_high and other_low <= high
    ]
    return min(found, default=None)


def _readable(text: str, completions: int) -> Iterator[tuple[int, int]]:
    for part in text.split(",") if text else ():
        try:
            yield _interval(part, completions)
        except IndexesError:
            continue
