"""Several reflectors as one: started together, ready together, as old as the oldest.

A stage that decides by several resources holds one `Replica`; its `__main__` runs it and turns the stage's health by
`synced` and `fresh_for`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence

from kubehop.reflector.reflector import Reflector


class Replica:
    """The reflectors that a stage's decisions rest on."""

    def __init__(self, reflectors: Sequence[Reflector], clock: Callable[[], float] = time.monotonic) -> None:
        """Run these together; the clock is theirs."""
        self.reflectors = tuple(reflectors)
        self._clock = clock
        self._contact = -math.inf

    async def run(self) -> None:
        """Run all reflectors, forever; cancelling ends them all."""
        async with asyncio.TaskGroup() as group:
            for reflector in self.reflectors:
                group.create_task(reflector.run(), name=f"reflector {reflector.title}")

    @property
    def synced(self) -> bool:
        """Whether every reflector has seen its whole collection once."""
        return all(reflector.synced.is_set() for reflector in self.reflectors)

    async def wait_synced(self) -> None:
        """Wait until every reflector has seen its whole collection once."""
        for reflector in self.reflectors:
            await reflector.synced.wait()

    @property
    def age(self) -> float:
        """Seconds since the reflector that heard from storage least recently did so; infinite before that."""
        return max((reflector.age for reflector in self.reflectors), default=0.0)

    def fresh_for(self, seconds: float) -> bool:
        """Tell whether everything is synced and heard from storage within these seconds."""
        now = self._clock()
        # contacts only grow, so that one that was recent enough needs no second look: this is asked at every call
        if now - self._contact > seconds:
            self._contact = min((reflector.contact for reflector in self.reflectors), default=math.inf)
        return now - self._contact <= seconds
