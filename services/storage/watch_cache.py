"""The whole registry in memory, kept current by one watch of etcd's whole key space.

`run` fills the table page by page, then follows etcd: each change goes into the table and the history and to the
watchers, in the order of revisions. Reads ask `revision` and `table`; whoever needs a revision waits with `wait`.

At start the table is filled as of some revisions ago and the changes since then are replayed, so that the history
reaches back beyond the start and clients' watches resume after a restart of this process.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, Callable, Sequence
from itertools import count
from time import monotonic
from typing import Protocol

import structlog

from services.storage.entries import Entry
from services.storage.errors import CompactedError, ExpiredError, FutureRevisionError, UnavailableError
from services.storage.etcd import Change, KeyValue, Page
from services.storage.history import Event, History
from services.storage.keys import end_of
from services.storage.settings import CacheSettings
from services.storage.table import Table
from services.storage.watchers import Hub

_log = structlog.get_logger("storage.cache")
_FIRST_PAUSE, _LONGEST_PAUSE, _SAY_AGAIN = 0.1, 2.0, 30.0  # seconds


class Source(Protocol):
    """Where the cache reads from: `etcd.Etcd`, or whatever keeps revisions as it does."""

    narrow: bool
    """Whether changes are those of the registry alone, so that not every revision brings one."""

    async def revision(self) -> int:
        """Current revision, linearizable."""
        ...

    async def page(self, start: str, end: str, *, limit: int, revision: int = 0) -> Page:
        """Keys in order, as of a revision."""
        ...

    def changes(self, after: int) -> AsyncGenerator[list[Change], None]:
        """Every change behind a revision."""
        ...


class WatchCache:
    """See the module. All attributes change only between awaits: whoever does not await sees one revision."""

    def __init__(self, source: Source, root: str, settings: CacheSettings) -> None:
        self._source = source
        self._root = root
        self._settings = settings
        self.table = Table(root)
        self.history = History(settings.history)
        self.hub = Hub(root)
        self.ready = asyncio.Event()
        """Set while memory holds the registry; reads wait for it."""
        self._revision = 0
        self._target = 0
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self.on_ready: Callable[[bool], None] = lambda _ready: None
        """Told when memory becomes ready to serve, and when it has lost track."""
        self.fills = 0
        """Times that memory has been filled from etcd."""
        self.connected = False
        """Whether a watch of etcd is open, as far as anybody knows."""

    @property
    def revision(self) -> int:
        """Revision up to which every change is in memory."""
        return self._revision

    def reaches(self, revision: int, then: Callable[[], None]) -> None:
        """Call back once when a revision has been reached."""
        if self.ready.is_set() and self._revision >= revision:
            then()
        else:
            heapq.heappush(self._waiting, (revision, next(self._numbers), then))

    async def wait_ready(self) -> None:
        """Wait until memory holds the registry.

        Raises:
            UnavailableError: it took longer than a read waits.
        """
        if self.ready.is_set():
            return
        try:
            async with asyncio.timeout(self._settings.patience_seconds):
                await self.ready.wait()
        except TimeoutError:
            raise UnavailableError("storage is (re)initializing: the cache is being filled from etcd") from None

    async def wait(self, revision: int) -> None:
        """Wait until memory is not older than a revision.

        Raises:
            FutureRevisionError: not reached in time.
            UnavailableError: memory is not ready.
        """
        await self.wait_ready()
        if self._revision >= revision:
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reaches(revision, lambda: None if reached.done() else reached.set_result(None))
        try:
            async with asyncio.timeout(self._settings.patience_seconds):
                await reached
        except TimeoutError:
            raise FutureRevisionError(revision, self._revision) from None

    def repair(self, found: KeyValue) -> None:
        """Put a value that could not be read before in the place of what is there, if it is of the same revision."""
        known = self.table.get(found.key)
        if known is not None and known.corrupt and known.revision == found.mod_revision:
            self.table.put(Entry(found.key, found.value, found.mod_revision))

    async def run(self) -> None:
        """Fill and follow, for ever. What goes wrong is logged calmly and tried again."""
        housekeeping = asyncio.create_task(self._keep_house(), name="storage housekeeping")
        pause, said = _FIRST_PAUSE, 0.0
        try:
            while True:
                try:
                    if self._revision == 0:
                        await self._fill()
                    await self._follow()
                except CompactedError:
                    self._lose_track("etcd has compacted the changes that memory has not seen")
                    continue
                except UnavailableError as error:
                    if self.connected:
                        pause, said = _FIRST_PAUSE, 0.0
                    self.connected = False
                    if monotonic() - said > _SAY_AGAIN:
                        said = monotonic()
                        _log.warning("etcd is out of reach, trying again", why=error.message, revision=self._revision)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
        finally:
            housekeeping.cancel()
            await asyncio.gather(housekeeping, return_exceptions=True)

    async def _fill(self) -> None:
        """Read all objects as of a revision."""
        current = await self._source.revision()
        # what is replayed has to reach the present, which others may have moved on
        replay = 0 if self._source.narrow else self._settings.history.replay
        start = max(1, current - replay)
        try:
            await self._fill_at(start)
        except CompactedError:
            # compacted a moment ago: take the present; if that is gone too, `run` begins again
            start = current
            await self._fill_at(start)
        self.fills += 1
        self._target = current
        self._revision = start
        self.history = History(self._settings.history, floor=start)
        _log.info("cache filled from etcd", objects=len(self.table), revision=start, replaying=current - start)
        self._advance(start)

    async def _fill_at(self, revision: int) -> None:
        table = Table(self._root)
        start, end, more = self._root, end_of(self._root), True
        while more:
            page = await self._source.page(start, end, limit=self._settings.page_items, revision=revision)
            for item in page.items:
                table.put(Entry(item.key, item.value, item.mod_revision))
            more = page.more
            if more:
                start = page.items[-1].key + "\x00"
        self.table = table

    async def _follow(self) -> None:
        if self.connected is False and self.ready.is_set() and await self._source.revision() < self._revision:
            # another store than before, or one restored from a backup: nothing here is worth keeping
            self._lose_track("etcd is at an older revision than memory: it has been replaced or restored")
            return
        changes = self._source.changes(self._revision)
        try:
            async for batch in changes:
                self.connected = True
                self._apply(batch)
        finally:
            await changes.aclose()

    def _apply(self, batch: Sequence[Change]) -> None:
        now = monotonic()
        table, history, hub, root = self.table, self.history, self.hub, self._root
        for key, value, revision in batch:
            if not key.startswith(root):
                continue
            entry: Entry | None = None
            if value is None:
                previous = table.remove(key)
                if previous is None:
                    continue
            else:
                entry = Entry(key, value, revision)
                previous = table.put(entry)
            event = Event(revision, key, previous, entry, now)
            history.append(event)
            hub.dispatch(event)
        history.trim(now)
        self._advance(batch[-1].revision)

    def _advance(self, revision: int) -> None:
        self._revision = revision
        if not self.ready.is_set():
            if revision < self._target:
                return
            self.ready.set()
            self.on_ready(True)
            _log.info("cache is ready", objects=len(self.table), revision=revision, since=self.history.floor)
        waiting = self._waiting
        while waiting and waiting[0][0] <= revision:
            heapq.heappop(waiting)[2]()

    def _lose_track(self, why: str) -> None:
        """Forget everything; `run` fills anew."""
        _log.warning("filling the cache anew", why=why, revision=self._revision)
        self.connected = False
        self.ready.clear()
        self.on_ready(False)
        self.hub.end_all(ExpiredError(f"too old resource version: {why}", self._revision))
        self._revision = 0

    async def _keep_house(self) -> None:
        settings = self._settings
        while True:
            await asyncio.sleep(settings.housekeeping_seconds)
            if self.ready.is_set():
                now = monotonic()
                self.history.trim(now)
                self.hub.bookmark(self._revision, now, settings.bookmark_seconds)
