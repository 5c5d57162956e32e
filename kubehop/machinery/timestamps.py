"""Times as objects carry them: RFC 3339 in UTC, to the second or to the microsecond.

Schemas canonicalise the times of objects here, metadata stamps them; errors are those of Go's time.Parse.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from kubehop.machinery import gotext

LAYOUT: Final = "2006-01-02T15:04:05Z07:00"
MICRO_LAYOUT: Final = "2006-01-02T15:04:05.000000Z07:00"

_canonical_time = re.compile(
    r"([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
).fullmatch
_fraction = re.compile(r"[.,][0-9]+")
# what time.Parse reads, step by step: the element of the layout, its pattern, its bounds
_STEPS: Final = (
    ("2006", r"[0-9]{4}", 0, 9999, ""),
    ("-", "-", 0, 0, ""),
    ("01", r"[0-9]{2}", 1, 12, "month"),
    ("-", "-", 0, 0, ""),
    ("02", r"[0-9]{2}", 1, 31, "day"),
    ("T", "T", 0, 0, ""),
    ("15", r"[0-9]{2}", 0, 23, "hour"),
    (":", ":", 0, 0, ""),
    ("04", r"[0-9]{2}", 0, 59, "minute"),
    (":", ":", 0, 0, ""),
    ("05", r"[0-9]{2}", 0, 59, "second"),
)
_COMPILED: Final = tuple(
    (element, re.compile(pattern), low, high, name) for element, pattern, low, high, name in _STEPS
)
_zone = re.compile(r"Z|[+-][0-9]{2}:[0-9]{2}")


class TimeError(ValueError):
    """A text that is no time, with time.Parse's message."""


def now() -> str:
    """The present second, as creationTimestamp has it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now_micro() -> str:
    """The present microsecond, as leases and events have it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def format_time(moment: dt.datetime) -> str:
    """A moment to the second (metav1.Time)."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro(moment: dt.datetime) -> str:
    """A moment to the microsecond (metav1.MicroTime)."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(text: str) -> str:
    """A metav1.Time as it is stored: UTC, fractions cut off. TimeError."""
    match = _canonical_time(text)
    if match and match[3] <= "28" and match[1] != "0000":
        return text
    return format_time(parse(text))


def canonical_micro(text: str) -> str:
    """A metav1.MicroTime as it is stored. TimeError; six digits of fraction are required."""
    return format_micro(parse(text, micro=True))


def parse(text: str, *, micro: bool = False) -> dt.datetime:
    """Read a time; TimeError. Fractions finer than a microsecond are cut off."""
    layout = MICRO_LAYOUT if micro else LAYOUT
    at = 0
    values: list[int] = []
    out_of_range = ""
    for element, pattern, low, high, name in _COMPILED:
        match = pattern.match(text, at)
        if match is None:
            raise _cannot(text, layout, text[at:], element)
        if len(element) > 1:
            value = int(match[0])
            values.append(value)
            if not low <= value <= high and not out_of_range:
                out_of_range = name
                if name != "day":
                    raise TimeError(f"parsing time {gotext.quote(text)}: {name} out of range")
        at = match.end()
    microseconds = 0
    fraction = _fraction.match(text, at)
    if micro and (fraction is None or len(fraction[0]) != 7):
        raise _cannot(text, layout, text[at:], ".000000")
    if fraction:
        microseconds = int(fraction[0][1:7].ljust(6, "0"))
        at = fraction.end()
    zone = _zone.match(text, at)
    if zone is None:
        raise _cannot(text, layout, text[at:], "Z07:00")
    if zone.end() != len(text):
        extra = gotext.quote(text[zone.end() :])
        raise TimeError(f"parsing time {gotext.quote(text)}: extra text: {extra}")
    return _moment(text, values, microseconds, zone[0])


def _cannot(text: str, layout: str, rest: str, element: str) -> TimeError:
    quoted = gotext.quote
    return TimeError(
        f"parsing time {quoted(text)} as {quoted(layout)}: cannot parse {quoted(rest)} as {quoted(element)}"
    )


def _moment(text: str, values: list[int], microseconds: int, zone: str) -> dt.datetime:
    year, month, day, hour, minute, second = values
    hours, minutes = (int(zone[1:3]), int(zone[4:6])) if zone != "Z" else (0, 0)
    if hours > 24 or minutes >= 60:
        raise TimeError(f"parsing time {gotext.quote(text)}: time zone offset hour out of range")
    offset = dt.timedelta(hours=hours, minutes=minutes)
    try:
        moment = dt.datetime(year, month, day, hour, minute, second, microseconds, tzinfo=dt.UTC)
        return moment + offset if zone[0] == "-" else moment - offset
    except (ValueError, OverflowError):
        raise TimeError(f"parsing time {gotext.quote(text)}: day out of range") from None
