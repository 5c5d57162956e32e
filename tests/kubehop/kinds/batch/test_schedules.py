"""Schedules and time zones of cron jobs, as robfig/cron and Go judge them."""

from __future__ import annotations

import pytest

from kubehop.kinds.batch import schedules


@pytest.mark.parametrize(
    "text", ["* * * * *", "*/5 0-3,12 ? jan-MAR sun", "@daily", "@every 1h30m", "1-10/2 * 31 12 6", "TZ=UTC 0 * * * *"]
)
def test_schedules_that_are_taken(text):
    """Steps, ranges, names, lists, descriptors and intervals."""
    schedules.check(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'),
        ("@often", "unrecognized descriptor: @often"),
        ("@every 5", 'failed to parse duration @every 5: time: missing unit in duration "5"'),
        ("@every 5y", 'failed to parse duration @every 5y: time: unknown unit "y" in duration "5y"'),
        ("CRON_TZ=Moon/Base * * * * *", "provided bad location Moon/Base: unknown time zone Moon/Base"),
    ],
)
def test_schedules_that_are_refused(text, expected):
    """Errors are worded as the parser words them."""
    with pytest.raises(schedules.ScheduleError) as refused:
        schedules.check(text)
    assert str(refused.value) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Europe/Zurich", []),
        ("UTC", []),
        ("", ["timeZone must be nil or non-empty string"]),
        ("Mars/Base", ["unknown time zone Mars/Base"]),
        ("Europe/../UTC", ["unknown time zone Europe/../UTC"]),
        ("Local", ["timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"]),
    ],
)
def test_time_zones(name, expected):
    """Only names of the time zone database are taken."""
    assert schedules.time_zone(name) == expected
