"""Compaction of etcd's history: every few minutes, by whichever storage process has the turn.

The protocol is kube-apiserver's (kubernetes/apiserver pkg/storage/etcd3/compact.go), on its key, so that storage
processes and kube-apiservers on one etcd take turns: the version of `compact_rev_key` is the clock, whoever moves it on
compacts to the revision that it saw one interval before.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

import structlog

from services.storage.errors import CompactedError, UnavailableError, UnknownOutcomeError

_log = structlog.get_logger("storage.compaction")
KEY = "compact_rev_key"


class Turn(NamedTuple):
    """What came of an attempt to take the turn."""

    taken: bool
    version: int
    """Of the key, now."""
    revision: int
    """Of the store, now."""


class Source(Protocol):
    """What it needs of `etcd.Etcd`."""

    async def take_turn(self, key: str, version: int, value: bytes) -> Turn:
        """Write a key if it is at a version."""
        ...

    async def compact(self, revision: int) -> None:
        """Forget what was before a revision."""
        ...


class Compactor:
    """Takes turns, for ever."""

    def __init__(self, etcd: Source, interval_seconds: float) -> None:
        self._etcd = etcd
        self._interval = interval_seconds
        self._version = 0
        self._revision = 0
        self.compacted = 0
        """Revision up to which this process compacted last."""

    async def run(self) -> None:
        """Compact at each interval; 0 never does."""
        if self._interval <= 0:
            return
        while True:
            await asyncio.sleep(self._interval)
            try:
                await self.step()
            except (UnavailableError, UnknownOutcomeError) as error:
                _log.warning("compaction failed, trying again in its next turn", why=error.message)

    async def step(self) -> bool:
        """Take the turn if nobody has since the last look; whether something was compacted.

        Raises:
            UnavailableError, UnknownOutcomeError: etcd did not answer.
        """
        turn = await self._etcd.take_turn(KEY, self._version, str(self._revision).encode())
        target, self._revision, self._version = self._revision, turn.revision, turn.version
        if not turn.taken or target == 0:
            return False
        try:
            await self._etcd.compact(target)
        except CompactedError:
            return False  # by somebody else, further than we would have
        self.compacted = target
        _log.debug("compacted etcd", revision=target)
        return True
