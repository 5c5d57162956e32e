"""Opening a watch: what it begins with, and from which revision on it follows.

The servicer streams what `Watches.responses` yields. Which resourceVersion means what: kubernetes/apiserver
pkg/storage/cacher/cacher.go (Watch), watch_cache.go (getAllEventsSinceLocked).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from itertools import chain
from time import monotonic

from services.storage.errors import ExpiredError, FutureRevisionError, UnavailableError
from services.storage.freshness import Freshness
from services.storage.history import Event
from services.storage.keys import Place
from services.storage.lists import parse_revision
from services.storage.selection import Selection
from services.storage.settings import CacheSettings
from services.storage.watch_cache import WatchCache
from services.storage.watchers import Group, Watcher, added, bookmark, failure


@dataclass(frozen=True, slots=True)
class WatchQuery:
    """A watch as asked for."""

    place: Place
    selection: Selection
    resource_version: str = ""
    bookmarks: bool = False
    initial_events: bool | None = None


class Watches:
    """Opens watches on the cache."""

    def __init__(self, cache: WatchCache, freshness: Freshness, settings: CacheSettings) -> None:
        self._cache = cache
        self._freshness = freshness
        self._settings = settings

    async def responses(self, query: WatchQuery) -> AsyncGenerator[bytes, None]:
        """Serialized WatchResponses until the watch ends.

        A revision that is gone, or not there yet, ends it with an ERROR event at once, as kube-apiserver has it.

        Raises:
            InvalidError: resourceVersion is no number.
            UnavailableError: the cache is not ready, or etcd is out of reach.
        """
        revision = parse_revision(query.resource_version)
        try:
            watcher = await self._open(query, revision)
        except (ExpiredError, FutureRevisionError) as error:
            yield failure(error)
            return
        try:
            async for response in watcher.responses():
                yield response
        finally:
            self._cache.hub.remove(watcher)

    async def _open(self, query: WatchQuery, revision: int) -> Watcher:
        cache = self._cache
        await cache.wait_ready()
        begins_with_objects = revision == 0 if query.initial_events is None else query.initial_events
        if not query.resource_version:
            reached = await self._freshness.wait()
            if reached < 0:
                await self._caught_up(-reached)
        elif begins_with_objects:
            await cache.wait(revision)
        # from here to the end nothing is awaited: memory is at one revision
        if begins_with_objects or revision == 0:
            since = cache.revision
        else:
            since = revision
            if since < cache.history.floor:
                raise ExpiredError(
                    f"too old resource version: {since} ({cache.history.floor})", since, cache.history.floor
                )
        watcher = Watcher(since, self._settings.watcher_events, bookmarks=query.bookmarks, now=monotonic())
        place = query.place
        group = cache.hub.add(watcher, place.key or place.prefix, query.selection)
        if begins_with_objects:
            watcher.begin_with(self._objects(query, cache.revision))
            if query.initial_events and query.bookmarks:
                watcher.told = cache.revision
        elif since <= cache.revision:
            watcher.begin_with(self._missed(place, group, since))
            watcher.told = revision
        return watcher

    async def _caught_up(self, revision: int) -> None:
        try:
            await self._cache.wait(revision)
        except FutureRevisionError:
            raise UnavailableError("the cache lags behind etcd") from None

    def _objects(self, query: WatchQuery, revision: int) -> Iterator[bytes]:
        table, place = self._cache.table, query.place
        if place.key is None:
            entries = table.within(place.prefix)
        else:
            entry = table.get(place.key)
            entries = [] if entry is None else [entry]
        objects = added(entries, query.selection)
        if query.initial_events and query.bookmarks:
            return chain(objects, (bookmark(revision, initial_events_end=True),))
        return objects

    def _missed(self, place: Place, group: Group, since: int) -> Iterator[bytes]:
        key, prefix = place.key, place.prefix
        # taken now, serialized when they are read: what happens in between is in the watcher's buffer
        events = [e for e in self._cache.history.after(since) if (e.key == key if key else e.key.startswith(prefix))]
        return _judged(events, group)


def _judged(events: list[Event], group: Group) -> Iterator[bytes]:
    for event in events:
        kind = group.judge(event)
        if kind is not None:
            yield event.encoded(kind)
