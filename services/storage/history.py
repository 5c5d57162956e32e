"""The recent past: changes in the order of revisions, bounded in number, bytes and age.

The watch cache appends; watches that resume, lists of an older revision and writes whose outcome is unknown read it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from kubehop.pb.storage.v1 import (
    EVENT_TYPE_ADDED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_MODIFIED,
    EventType,
    WatchEvent,
    WatchResponse,
)
from services.storage.entries import Entry
from services.storage.settings import HistorySettings

_by_revision: Final = attrgetter("revision")


class Event:
    """One change of one object."""

    __slots__ = ("_encoded", "at", "entry", "key", "previous", "revision")

    def __init__(self, revision: int, key: str, previous: Entry | None, entry: Entry | None, at: float) -> None:
        self.revision = revision
        self.key = key
        self.previous = previous
        self.entry = entry
        """None: deleted."""
        self.at = at
        """Monotonic seconds at which it was received."""
        self._encoded: tuple[EventType, bytes] | None = None

    def encoded(self, kind: EventType) -> bytes:
        """The event as a serialized WatchResponse, made once for all watchers.

        Serialized messages may be joined: a joined WatchResponse has the events of all. Of the kinds that watchers
        with different selectors see in one event the last one is kept; they are nearly always the same.
        """
        known = self._encoded
        if known is not None and known[0] == kind:
            return known[1]
        made = encode(kind, self._object(kind), self.revision)
        self._encoded = (kind, made)
        return made

    def _object(self, kind: EventType) -> bytes:
        if kind == EVENT_TYPE_DELETED:
            # the last state that the watcher knew, at the revision of this event: etcd3/watcher.go, cache_watcher.go
            return self.previous.json_at(self.revision) if self.previous else b""
        return self.entry.json if self.entry else b""


def encode(kind: EventType, json: bytes, revision: int) -> bytes:
    """Serialize one event as a WatchResponse."""
    return WatchResponse(events=[WatchEvent(type=kind, object=json, revision=revision)]).SerializeToString()


def plain_kind(event: Event) -> EventType:
    """What the event is to a watcher without selectors."""
    if event.entry is None:
        return EVENT_TYPE_DELETED
    return EVENT_TYPE_MODIFIED if event.previous is not None else EVENT_TYPE_ADDED


class History:
    """Events after `floor`, all of them, in order."""

    def __init__(self, settings: HistorySettings, floor: int = 0) -> None:
        self._settings = settings
        self._events: list[Event] = []
        self._start = 0
        self._bytes = 0
        self.floor = floor
        """Every change after this revision is here; changes up to it may be gone."""

    def __len__(self) -> int:
        return len(self._events) - self._start

    @property
    def bytes(self) -> int:
        """Bytes of superseded and deleted objects that only the history keeps."""
        return self._bytes

    def span(self, now: float) -> float:
        """Age of the oldest event kept, in seconds."""
        return now - self._events[self._start].at if len(self) else 0.0

    def append(self, event: Event) -> None:
        """Add the newest event."""
        self._events.append(event)
        if event.previous is not None:
            self._bytes += len(event.previous.body)

    def trim(self, now: float) -> None:
        """Drop the oldest events beyond the bounds; events of one revision stay or go together."""
        settings, events, start = self._settings, self._events, self._start
        size = len(events)
        oldest = now - settings.seconds
        while start < size and (
            size - start > settings.events or self._bytes > settings.bytes or events[start].at < oldest
        ):
            revision = events[start].revision
            while start < size and events[start].revision == revision:
                previous = events[start].previous
                if previous is not None:
                    self._bytes -= len(previous.body)
                start += 1
            self.floor = revision
        self._start = start
        # give the memory back now and then, not one by one
        if (start > 1024 and start * 2 > size) or start == size:
            del events[:start]
            self._start = 0
        elif start > 0:
            for gone in range(start - 1, -1, -1):
                if events[gone] is _GONE:
                    break
                events[gone] = _GONE

    def after(self, revision: int) -> Iterator[Event]:
        """Events after a revision, which must not be below `floor`, in order."""
        first = bisect_right(self._events, revision, lo=self._start, key=_by_revision)
        return iter(self._events[first:])

    def at(self, revision: int) -> Iterator[Event]:
        """Events of one revision."""
        first = bisect_left(self._events, revision, lo=self._start, key=_by_revision)
        for event in self._events[first:]:
            if event.revision != revision:
                break
            yield event


_GONE: Final = Event(0, "", None, None, 0.0)
