"""Whether storage is still there, asked once for all reflectors of a process.

A watch of a quiet resource looks like one whose connection died. In silence each `Reflector` asks its `Pulse`, which
asks storage for its revision: an answer means that the storage process lives and that a quorum of etcd agrees with it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from kubehop.hop.calls import CallContext
from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import RevisionRequest, StorageRpcs


class Pulse:
    """Asks storage, no more often than needed."""

    def __init__(
        self,
        storage: StageClient,
        *,
        interval: float = 3.0,
        timeout: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask after interval seconds of silence; an answer may take timeout seconds."""
        self.interval = interval
        self._storage = storage
        self._timeout = timeout
        self._clock = clock
        self._answered = -math.inf
        self._asking: asyncio.Task[HopError | None] | None = None

    async def answered(self) -> float:
        """Return when storage answered, not longer ago than half the interval. Raises HopError if it does not."""
        if self._clock() - self._answered > self.interval / 2:
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask(), name="storage pulse")
            # shielded, because others may wait for the same answer
            problem = await asyncio.shield(self._asking)
            if problem is not None:
                raise problem.copy()
        return self._answered

    async def _ask(self) -> HopError | None:
        """Ask once; the failure is a result, so that nobody has to be there to take it."""
        asked = self._clock()
        try:
            context = CallContext(deadline=time.time() + self._timeout)
            await self._storage.call(StorageRpcs.REVISION, RevisionRequest(), context)
        except HopError as error:
            return error
        finally:
            self._asking = None
        # what storage answers is as old as the question
        self._answered = asked
        return None
