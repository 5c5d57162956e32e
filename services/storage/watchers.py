"""Watchers of collections: who wants which events, and the bounded buffer between the cache and each reader.

The watch cache hands every event to the `Hub` once; the servicer's watch streams read a `Watcher` each. Watchers of the
same collection with the same selectors form a group, for which an event is judged and serialized once. Events find
their groups by the prefixes of their key, so watchers of other collections cost nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator

from kubehop.pb.storage.v1 import (
    ERROR_REASON_UNAVAILABLE,
    EVENT_TYPE_ADDED,
    EVENT_TYPE_BOOKMARK,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_ERROR,
    EVENT_TYPE_MODIFIED,
    EventType,
    WatchError,
    WatchEvent,
    WatchResponse,
)
from services.storage.entries import Entry
from services.storage.errors import StorageError
from services.storage.history import Event, encode, plain_kind
from services.storage.selection import Selection

# events are joined up to this size; far below what a gRPC message takes, large enough to spare the overhead per message
RESPONSE_BYTES = 256 * 1024


def bookmark(revision: int, *, initial_events_end: bool = False) -> bytes:
    """Serialize a bookmark as a WatchResponse."""
    event = WatchEvent(type=EVENT_TYPE_BOOKMARK, revision=revision, initial_events_end=initial_events_end)
    return WatchResponse(events=[event]).SerializeToString()


def failure(error: StorageError) -> bytes:
    """Serialize the event that ends a watch."""
    event = WatchEvent(type=EVENT_TYPE_ERROR, error=WatchError(reason=error.reason, message=error.message))
    return WatchResponse(events=[event]).SerializeToString()


def too_slow(capacity: int) -> bytes:
    """Serialize the end of a watch whose reader does not keep up."""
    message = f"the reader of this watch is more than {capacity} events behind; go on from the last one received"
    event = WatchEvent(type=EVENT_TYPE_ERROR, error=WatchError(reason=ERROR_REASON_UNAVAILABLE, message=message))
    return WatchResponse(events=[event]).SerializeToString()


class Watcher:
    """The buffer of one watch: filled by the hub in revision order, emptied by the stream that serves the watch."""

    __slots__ = (
        "_capacity",
        "_ended",
        "_initial",
        "_queue",
        "_since",
        "_wake",
        "bookmarked_at",
        "bookmarks",
        "cut_off",
        "group",
        "told",
    )

    def __init__(self, since: int, capacity: int, *, bookmarks: bool, now: float) -> None:
        self._since = since
        self.told = 0
        """Revision that the reader knows to have reached: of the last event, or where it asked to begin."""
        self.bookmarks = bookmarks
        self.bookmarked_at = now
        self.group: Group | None = None
        self.cut_off = False
        """Whether the reader was too slow."""
        self._capacity = capacity
        self._queue: deque[bytes] = deque()
        self._initial: Iterator[bytes] = iter(())
        self._wake: asyncio.Future[None] | None = None
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether the last event has been put."""
        return self._ended

    @property
    def behind(self) -> int:
        """Events that the reader has not fetched."""
        return len(self._queue)

    def begin_with(self, responses: Iterator[bytes]) -> None:
        """Set what the reader gets before anything from the buffer; made only as fast as it reads."""
        self._initial = responses

    def put(self, revision: int, response: bytes) -> None:
        """Buffer an event; a reader that is too far behind is cut off after what is buffered already."""
        # a watch may begin at a revision that has not been reached yet
        if revision <= self._since or self._ended:
            return
        if len(self._queue) >= self._capacity:
            self.cut_off = True
            self.end(too_slow(self._capacity))
            return
        self.told = revision
        self._queue.append(response)
        if self._wake is not None:
            self._wake_up()

    def mark(self, revision: int, response: bytes) -> None:
        """Buffer a bookmark, unless the reader knows as much."""
        if self.told < revision and self._since <= revision and not self._ended:
            self.told = revision
            self._queue.append(response)
            self._wake_up()

    def end(self, response: bytes) -> None:
        """Buffer the last event."""
        if not self._ended:
            self._ended = True
            self._queue.append(response)
            self._wake_up()

    def close(self) -> None:
        """End after what is buffered, without a word."""
        self._ended = True
        self._wake_up()

    def _wake_up(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None and not wake.done():
            wake.set_result(None)

    async def responses(self) -> AsyncIterator[bytes]:
        """Serialized WatchResponses, as many events in each as are there, until the watch ends."""
        size, parts = 0, []
        try:
            for response in self._initial:
                parts.append(response)
                size += len(response)
                if size >= RESPONSE_BYTES:
                    yield b"".join(parts)
                    size, parts = 0, []
        except StorageError as error:
            # an object that cannot be decoded: what came before it is still true
            parts.append(failure(error))
            self._queue.clear()
            self._ended = True
        if parts:
            yield b"".join(parts)
        self._initial = iter(())
        queue = self._queue
        while True:
            if not queue:
                if self._ended:
                    return
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
                continue
            first = queue.popleft()
            if not queue:
                yield first
                continue
            size, parts = len(first), [first]
            while queue and size < RESPONSE_BYTES:
                parts.append(queue.popleft())
                size += len(parts[-1])
            yield b"".join(parts)


class Group:
    """Watchers that see the same: same collection or object, same selectors."""

    __slots__ = ("at", "selection", "watchers")

    def __init__(self, at: str, selection: Selection) -> None:
        self.at = at
        self.selection = selection
        self.watchers: list[Watcher] = []

    def judge(self, event: Event) -> EventType | None:
        """What the event is to this group; None when it sees nothing.

        An object that enters the selector is added, one that leaves it is deleted, as kube-apiserver has it
        (pkg/storage/cacher/cache_watcher.go, convertToWatchEvent).
        """
        selection = self.selection
        if selection.everything:
            return plain_kind(event)
        now = event.entry is not None and selection.matches(event.entry)
        before = event.previous is not None and selection.matches(event.previous)
        if now:
            return EVENT_TYPE_MODIFIED if before else EVENT_TYPE_ADDED
        return EVENT_TYPE_DELETED if before else None

    def deliver(self, event: Event) -> int:
        """Give the event to each watcher; returns to how many."""
        try:
            kind = self.judge(event)
            if kind is None:
                return 0
            response = event.encoded(kind)
        except StorageError as error:
            # an object that cannot be decoded must not vanish silently from the sequence
            response = failure(error)
            for watcher in self.watchers:
                watcher.end(response)
            return 0
        revision = event.revision
        for watcher in self.watchers:
            watcher.put(revision, response)
        return len(self.watchers)


class Hub:
    """All watchers, by what they watch."""

    def __init__(self, root: str) -> None:
        self._root = len(root)
        self._groups: dict[str, dict[Selection, Group]] = {}
        self.count = 0
        """Watchers at present."""
        self.delivered = 0
        """Events given to watchers so far."""
        self.cut_off = 0
        """Watches that ended so far because their reader was too slow."""

    def add(self, watcher: Watcher, at: str, selection: Selection) -> Group:
        """Let a watcher have the events of a collection (its prefix) or of an object (its key) from now on."""
        groups = self._groups.setdefault(at, {})
        group = groups.get(selection)
        if group is None:
            group = groups[selection] = Group(at, selection)
        group.watchers.append(watcher)
        watcher.group = group
        self.count += 1
        return group

    def remove(self, watcher: Watcher) -> None:
        """Forget a watcher."""
        group, watcher.group = watcher.group, None
        if group is None:
            return
        self.count -= 1
        self.cut_off += watcher.cut_off
        group.watchers.remove(watcher)
        if not group.watchers:
            groups = self._groups[group.at]
            del groups[group.selection]
            if not groups:
                del self._groups[group.at]

    def dispatch(self, event: Event) -> None:
        """Give an event to those who watch its object, its namespace's collection or the collection of all."""
        known = self._groups
        if not known:
            return
        key = event.key
        end = key.find("/", self._root)
        while end >= 0:
            groups = known.get(key[: end + 1])
            if groups is not None:
                for group in groups.values():
                    self.delivered += group.deliver(event)
            end = key.find("/", end + 1)
        groups = known.get(key)
        if groups is not None:
            for group in groups.values():
                self.delivered += group.deliver(event)

    def everyone(self) -> Iterator[Watcher]:
        """All watchers."""
        for groups in self._groups.values():
            for group in groups.values():
                yield from group.watchers

    def end_all(self, error: StorageError) -> None:
        """End every watch."""
        response = failure(error)
        for watcher in self.everyone():
            watcher.end(response)

    def close_all(self) -> None:
        """End every watch quietly: this process stops, the watches go on at another one or later."""
        for watcher in self.everyone():
            watcher.close()

    def bookmark(self, revision: int, now: float, period: float) -> None:
        """Tell those who allow it, and have heard nothing for a period, up to where they are complete."""
        response = bookmark(revision)
        for watcher in self.everyone():
            if watcher.bookmarks and not watcher.behind and now - watcher.bookmarked_at >= period:
                watcher.bookmarked_at = now
                watcher.mark(revision, response)


def added(entries: list[Entry], selection: Selection) -> Iterator[bytes]:
    """The current objects of a collection as events."""
    for entry in entries:
        if selection.everything or selection.matches(entry):
            yield encode(EVENT_TYPE_ADDED, entry.json, entry.revision)
