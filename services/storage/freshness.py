"""Linearizable reads from memory: one question to etcd shared by all the reads that wait at that moment.

A read without resourceVersion must see every write that was acknowledged before it began. The store's revision, agreed
by a quorum after the read began, is at or behind all of them; when the cache has reached it, memory is as good as etcd.
A read may therefore only join a question that has not been sent yet. The store asks here before it serves from memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from services.storage.errors import UnavailableError


class Follower(Protocol):
    """The cache, as far as freshness is concerned."""

    @property
    def revision(self) -> int:
        """Revision that the cache has reached."""
        ...

    def reaches(self, revision: int, then: Callable[[], None]) -> None:
        """Call back when the cache has reached a revision."""
        ...


class Freshness:
    """Answers "is memory up to date as of now?"."""

    def __init__(self, ask: Callable[[], Awaitable[int]], follower: Follower, patience: Callable[[], float]) -> None:
        self._ask = ask
        self._follower = follower
        self._patience = patience
        self._waiting: list[asyncio.Future[int]] = []
        self._asking: asyncio.Task[None] | None = None
        self.shared = 0
        """Reads answered so far, for metrics: more than the questions asked."""
        self.waited = 0
        """Reads that had to wait for the cache after the store had told its revision."""
        self.fallbacks = 0
        """Reads for which the cache did not catch up in time."""

    def wait(self) -> asyncio.Future[int]:
        """Wait until memory holds everything acknowledged before this call.

        The result is the revision that a quorum agreed on, or its negative when the cache did not reach it in time:
        then read from etcd. Fails with UnavailableError when etcd is out of reach.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._waiting.append(future)
        if self._asking is None:
            self._asking = loop.create_task(self._ask_while_awaited(), name="storage quorum reads")
        return future

    async def _ask_while_awaited(self) -> None:
        try:
            # one question at a time: those who come meanwhile share the next one
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    revision = await self._ask()
                except UnavailableError as error:
                    for future in batch:
                        if not future.done():
                            # an exception of one's own each: tracebacks grow where they are raised
                            future.set_exception(UnavailableError(error.message, error.metadata))
                    continue
                except BaseException:
                    # the end of this process, or a mistake of ours: nobody must wait for ever
                    for future in batch:
                        future.cancel()
                    raise
                self.shared += len(batch)
                if self._follower.revision >= revision:
                    _resolve(batch, revision)
                else:
                    self._await_cache(batch, revision)
        finally:
            self._asking = None

    def _await_cache(self, batch: list[asyncio.Future[int]], revision: int) -> None:
        self.waited += len(batch)
        timer = asyncio.get_running_loop().call_later(self._patience(), self._give_up, batch, revision)

        def reached() -> None:
            timer.cancel()
            _resolve(batch, revision)

        self._follower.reaches(revision, reached)

    def _give_up(self, batch: list[asyncio.Future[int]], revision: int) -> None:
        self.fallbacks += sum(not future.done() for future in batch)
        _resolve(batch, -revision)

    async def close(self) -> None:
        """Stop asking; whoever waits is cancelled."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
        for future in self._waiting:
            future.cancel()


def _resolve(batch: list[asyncio.Future[int]], result: int) -> None:
    for future in batch:
        if not future.done():
            future.set_result(result)
