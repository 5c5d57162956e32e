"""Reading the log files of several processes as one story, in the order of time.

Used by logs.py. Stages write the time of day (text form) or a full time stamp (JSON form), etcd a full one; lines
without any, such as tracebacks, belong to the line before them. Times here are unix seconds.
"""

from __future__ import annotations

import datetime as dt
import heapq
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

HALF_DAY: Final = 43200.0
DAY: Final = 86400.0
TIME_OF_DAY: Final = re.compile(r"(\d\d):(\d\d):(\d\d)\.(\d{1,6})\b")
FULL: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
FIELD: Final = re.compile(r'"(?:ts|time|timestamp)":\s*(?:"([^"]+)"|([0-9.]+))')

Line = tuple[float, str, str]
"""When, which process, what it said."""


def merged(logs: Iterable[Path]) -> Iterator[Line]:
    """All lines of these logs and of their rotated predecessors, in the order of time."""
    return heapq.merge(*(_history(log) for log in logs), key=lambda line: line[0])


class Tail:
    """Follows one log file from where it ends now, through rotation."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._position = _size(log)
        self._rest = b""
        self._last = 0.0

    def new_lines(self) -> list[Line]:
        """Complete lines written since the last call."""
        size = _size(self._log)
        if size < self._position:
            self._position, self._rest = 0, b""  # cut by the supervisor
        if size == self._position:
            return []
        with self._log.open("rb") as file:
            file.seek(self._position)
            read = file.read(size - self._position)
        self._position += len(read)
        *whole, self._rest = (self._rest + read).split(b"\n")
        now = time.time()
        lines: list[Line] = []
        for raw in whole:
            text = raw.decode(errors="replace")
            of_day = _of_day(text)
            moment = _full(text) if of_day is None else _nearest(of_day, now)
            self._last = max(self._last, moment or self._last or now)
            lines.append((self._last, name_of(self._log), text))
        return lines


def name_of(log: Path) -> str:
    """The process that writes a log file."""
    return log.name.split(".", maxsplit=1)[0]


def _history(log: Path) -> Iterator[Line]:
    rotated = sorted(log.parent.glob(f"{log.name}.[0-9]*"), key=lambda path: -int(path.suffix[1:]))
    for path in (*rotated, log):
        yield from _file(path, name_of(log))


def _file(path: Path, name: str) -> Iterator[Line]:
    """One file. Where it holds times of day only, the last of them lies on the day of its last change."""
    try:
        changed = path.stat().st_mtime
        midnights, last = _midnights(path)
    except OSError:
        return
    midnight = 0.0 if last is None else _nearest(last, changed) - last - midnights * DAY
    moment, before = 0.0, 0.0
    for text in _lines(path):
        of_day = _of_day(text)
        if of_day is not None:
            if of_day < before - HALF_DAY:
                midnight += DAY
            before = of_day
            moment = max(moment, midnight + of_day)
        else:
            moment = max(moment, _full(text) or moment)
        yield moment, name, text


def _midnights(path: Path) -> tuple[int, float | None]:
    """How often the time of day starts over in a file, and the last one."""
    count, last = 0, None
    for text in _lines(path):
        of_day = _of_day(text)
        if of_day is not None:
            count += last is not None and of_day < last - HALF_DAY
            last = of_day
    return count, last


def _lines(path: Path) -> Iterator[str]:
    with path.open(errors="replace") as file:
        for line in file:
            yield line.rstrip("\n")


def _of_day(text: str) -> float | None:
    """Seconds since local midnight of a line that starts with a time of day."""
    found = TIME_OF_DAY.match(text)
    if not found:
        return None
    hours, minutes, seconds, fraction = found.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")


def _nearest(of_day: float, moment: float) -> float:
    """That time of day, on the day that brings it closest to a moment."""
    there = time.localtime(moment)
    midnight = time.mktime((there.tm_year, there.tm_mon, there.tm_mday, 0, 0, 0, 0, 0, -1))
    return min((midnight + of_day + shift for shift in (-DAY, 0.0, DAY)), key=lambda found: abs(found - moment))


def _full(text: str) -> float | None:
    """The time of a line that starts with a full time stamp, or of a JSON line that has one."""
    stamp = FULL.match(text)
    if stamp:
        return _parse(stamp[0])
    field = FIELD.search(text, 0, 300) if text.startswith("{") else None
    if not field:
        return None
    return float(field[2]) if field[2] else _parse(field[1])


def _parse(stamp: str) -> float | None:
    try:
        return dt.datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
