"""Times of objects."""

from __future__ import annotations

import contextlib
import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery import timestamps
from kubehop.machinery.timestamps import TimeError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
        ("2026-01-01T00:30:00-01:30", "2026-01-01T02:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ],
)
def test_canonical(text, canonical):
    """Times are kept in UTC, to the second."""
    assert timestamps.canonical(text) == canonical


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("yesterday", 'as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'),
        ("2026-1-02T03:04:05Z", 'as "2006-01-02T15:04:05Z07:00": cannot parse "1-02T03:04:05Z" as "01"'),
        ("2026-01-02 03:04:05Z", 'as "2006-01-02T15:04:05Z07:00": cannot parse " 03:04:05Z" as "T"'),
        ("2026-01-02T03:04:05", 'as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"'),
        ("", 'as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'),
        ("2026-13-02T03:04:05Z", ": month out of range"),
        ("2026-02-30T03:04:05Z", ": day out of range"),
        ("2026-01-02T25:04:05Z", ": hour out of range"),
        ("2026-01-02T03:60:05Z", ": minute out of range"),
        ("2026-01-02T03:04:60Z", ": second out of range"),
        ("2026-01-02T03:04:05Zx", ': extra text: "x"'),
    ],
)
def test_errors(text, error):
    """What is no time is told in Go's words."""
    with pytest.raises(TimeError, match=re.escape(f'parsing time "{text}"') + " ?" + re.escape(error.lstrip(" "))):
        timestamps.canonical(text)


def test_micro_times():
    """MicroTimes have six digits of fraction."""
    assert timestamps.canonical_micro("2026-01-02T03:04:05.000001Z") == "2026-01-02T03:04:05.000001Z"
    with pytest.raises(TimeError, match="000000"):
        timestamps.canonical_micro("2026-01-02T03:04:05Z")


@given(st.datetimes(min_value=dt.datetime(1, 1, 2), max_value=dt.datetime(9998, 1, 1)))
def test_times_are_read_back(moment):
    """What is written is read as the same moment."""
    moment = moment.replace(tzinfo=dt.UTC)
    if moment.year >= 1000:  # strftime does not pad earlier years
        assert timestamps.parse(timestamps.format_micro(moment), micro=True) == moment
        assert timestamps.canonical(timestamps.format_time(moment)) == timestamps.format_time(moment)


@given(st.text(alphabet="0123456789-:.TZ+x", max_size=30))
def test_no_text_breaks_it(text):
    """Any text is a time or a TimeError."""
    for read in (timestamps.canonical, timestamps.canonical_micro):
        with contextlib.suppress(TimeError):
            read(text)
