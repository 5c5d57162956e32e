"""Go's duration text ("1m30s"), as flags and the `timeout` parameter carry it.

Behaviour and messages are those of Go's time.ParseDuration.
"""

from __future__ import annotations

import json
import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_NUMBER = re.compile(r"\d*\.?\d*")
_UNIT = re.compile(r"[^.\d]*")


def parse_duration(text: str) -> float:
    """Return the seconds that a Go duration says. Raises ValueError with Go's message."""
    quoted = json.dumps(text, ensure_ascii=False)
    sign, rest = 1.0, text
    if rest[:1] in ("+", "-"):
        sign, rest = (-1.0 if rest[0] == "-" else 1.0), rest[1:]
    if rest == "0":
        return 0.0
    if not rest:
        raise ValueError(f"time: invalid duration {quoted}")
    seconds = 0.0
    while rest:
        number = _match(_NUMBER, rest)
        if not number.strip("."):
            raise ValueError(f"time: invalid duration {quoted}")
        rest = rest[len(number) :]
        unit = _match(_UNIT, rest)
        if not unit:
            raise ValueError(f"time: missing unit in duration {quoted}")
        if unit not in _UNITS:
            raise ValueError(f"time: unknown unit {json.dumps(unit, ensure_ascii=False)} in duration {quoted}")
        rest = rest[len(unit) :]
        seconds += float(number) * _UNITS[unit]
    return sign * seconds


def _match(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.match(text)
    return found[0] if found else ""
