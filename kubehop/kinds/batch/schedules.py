"""Schedules of cron jobs: read as robfig/cron reads them (ParseStandard), refused in its words; time zones."""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass, field

from kubehop.machinery import gotext

_DESCRIPTORS = frozenset({
    "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
})  # fmt: skip
_EVERY = "@every "
_FIELDS = 5
_match_zone_part = re.compile(r"[A-Za-z.\-_0-9+]{1,14}").fullmatch
_match_duration = re.compile(r"([0-9]*)(\.[0-9]*)?([^0-9.]*)").match
_UNITS = frozenset({"ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h"})


class ScheduleError(ValueError):
    """A text that is no schedule."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    low: int
    high: int
    names: dict[str, int] = field(default_factory=dict)


_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_BOUNDS = (
    _Bounds(0, 59),
    _Bounds(0, 23),
    _Bounds(1, 31),
    _Bounds(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Bounds(0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def check(text: str) -> None:
    """Read a schedule. Raises ScheduleError."""
    if text.startswith(("TZ=", "CRON_TZ=")):
        zone, _, text = text.partition(" ")
        name = zone.partition("=")[2]
        if name and zone_complaint(name):
            raise ScheduleError(f"provided bad location {name}: {zone_complaint(name)}")
        text = text.strip()
    if text.startswith("@"):
        _check_descriptor(text)
        return
    parts = text.split()
    if len(parts) != _FIELDS:
        raise ScheduleError(f"expected exactly {_FIELDS} fields, found {len(parts)}: [{' '.join(parts)}]")
    for part, bounds in zip(parts, _BOUNDS, strict=True):
        for expression in part.split(","):
            if expression:
                _check_range(expression, bounds)


def _check_descriptor(text: str) -> None:
    if text in _DESCRIPTORS:
        return
    if not text.startswith(_EVERY):
        raise ScheduleError(f"unrecognized descriptor: {text}")
    complaint = _duration_complaint(text.removeprefix(_EVERY))
    if complaint:
        raise ScheduleError(f"failed to parse duration {text}: {complaint}")


def _check_range(expression: str, bounds: _Bounds) -> None:
    parts = expression.split("/")
    ends = parts[0].split("-")
    if ends[0] in ("*", "?"):
        start, end = bounds.low, bounds.high
    else:
        start = _number_or_name(ends[0], bounds)
        if len(ends) > 2:
            raise ScheduleError(f"too many hyphens: {expression}")
        end = _number_or_name(ends[1], bounds) if len(ends) == 2 else start
    step = 1
    if len(parts) > 2:
        raise ScheduleError(f"too many slashes: {expression}")
    if len(parts) == 2:
        step = _number(parts[1])
        # a start and a step mean: from there to the end
        end = bounds.high if len(ends) == 1 else end
    if start < bounds.low:
        raise ScheduleError(f"beginning of range ({start}) below minimum ({bounds.low}): {expression}")
    if end > bounds.high:
        raise ScheduleError(f"end of range ({end}) above maximum ({bounds.high}): {expression}")
    if start > end:
        raise ScheduleError(f"beginning of range ({start}) beyond end of range ({end}): {expression}")
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {expression}")


def _number_or_name(text: str, bounds: _Bounds) -> int:
    found = bounds.names.get(text.lower())
    return _number(text) if found is None else found


def _number(text: str) -> int:
    try:
        number = gotext.parse_int64(text)
    except ValueError as error:
        reason = str(error).replace("strconv.ParseInt", "strconv.Atoi")
        raise ScheduleError(f"failed to parse int from {text}: {reason}") from None
    if number < 0:
        raise ScheduleError(f"negative number ({number}) not allowed: {text}")
    return number


def _duration_complaint(text: str) -> str:
    """Return what Go says of a duration that is none, "" where it is one (time.ParseDuration)."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return ""
    quoted = gotext.quote(text)
    if not rest:
        return f"time: invalid duration {quoted}"
    while rest:
        match = _match_duration(rest)
        assert match is not None  # every part may be empty
        whole, fraction, unit = match[1], match[2] or "", match[3]
        if not whole and len(fraction) < 2:
            return f"time: invalid duration {quoted}"
        if not unit:
            return f"time: missing unit in duration {quoted}"
        if unit not in _UNITS:
            return f"time: unknown unit {gotext.quote(unit)} in duration {quoted}"
        rest = rest[match.end() :]
    return ""


def zone_complaint(name: str) -> str:
    """Return what Go says of a time zone that it does not know, "" where it does (time.LoadLocation)."""
    if name in ("", "UTC", "Local"):
        return ""
    if ".." in name or name.startswith("/") or "\\" in name:
        return "time: invalid location name"
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return f"unknown time zone {name}"
    return ""


def time_zone(name: str) -> list[str]:
    """Return what is wrong with the time zone of a cron job (validateTimeZone)."""
    if not name:
        return ["timeZone must be nil or non-empty string"]
    if any(part in (".", "..") or part.startswith("-") or not _match_zone_part(part) for part in name.split("/")):
        return [f"unknown time zone {name}"]
    complaints = []
    if name.lower() == "local":
        complaints.append("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
    found = zone_complaint(name)
    return [*complaints, found] if found else complaints
