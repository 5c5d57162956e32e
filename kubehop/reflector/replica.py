"""Several reflectors as one: started together, ready together, as old as the oldest.

A stage that decides by several resources holds one `Replica`; its `__main__` runs it and turns the stage's health by
`synced` and `fresh_for`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from kubehop.reflector.reflector import Reflector


class Replica:
    """The reflectors that a stage's decisions rest on."""

    def __init__(self, reflectors: Sequence[Reflector]) -> None:
        """Run these together."""
        self.reflectors = tuple(reflectors)

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
        return self.synced and self.age <= seconds
