"""How long to wait before the next attempt to reach storage."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Pauses that double up to a bound, each shortened at random so that many do not come back at once."""

    def __init__(self, initial: float, longest: float, spread: Callable[[], float] = random.random) -> None:
        """Begin with a pause of initial seconds; spread returns a number in [0, 1)."""
        self._initial = initial
        self._longest = longest
        self._spread = spread
        self._next = initial

    def reset(self) -> None:
        """Begin again: an attempt succeeded."""
        self._next = self._initial

    def pause(self) -> float:
        """Return the next pause in seconds, between half of its length and all of it."""
        length = self._next
        self._next = min(self._longest, length * 2)
        return length * (0.5 + self._spread() / 2)
