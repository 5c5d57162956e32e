"""One timer for many deadlines.

A timer per call costs more than the rest of the call's bookkeeping, and nearly all deadlines never come. So each lane
keeps one timer for the earliest deadline that it knows of; when it rings, the owner looks through its calls in
flight, which are bounded, ends those that are due and tells the next earliest.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable


class DeadlineWatch:
    """Calls `sweep(now)` once the earliest noticed deadline has passed; `sweep` returns the next one or infinity.

    Deadlines are seconds since the epoch, because they cross process borders.
    """

    __slots__ = ("_at", "_loop", "_sweep", "_timer")

    def __init__(self, sweep: Callable[[float], float]) -> None:
        self._loop = asyncio.get_running_loop()
        self._sweep = sweep
        self._at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def notice(self, deadline: float) -> None:
        """Make sure that a sweep happens once `deadline` has passed."""
        if deadline < self._at:
            self._set(deadline)

    def close(self) -> None:
        """Drop the timer; later deadlines are noticed again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._at = math.inf

    def _set(self, deadline: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._at = deadline
        self._timer = self._loop.call_later(max(0.0, deadline - time.time()), self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._at = math.inf
        now = time.time()
        upcoming = self._sweep(now)
        if upcoming < math.inf:
            # never before now: a timer that rings early would sweep in a loop
            self.notice(max(upcoming, now + 0.0005))
