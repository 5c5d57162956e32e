"""Lists: which objects, as of which revision, in which page.

The servicer hands over a parsed `ListQuery` and streams the `Listing` it gets. Every list comes from memory, an older
revision by undoing the history since; only what is older than the history is read from etcd.
Semantics of resourceVersion, its match and pages: kubernetes/apiserver pkg/storage/cacher/delegator/interface.go,
pkg/storage/interfaces.go (ValidateListOptions) and cacher.go (GetList).
"""

from __future__ import annotations

from dataclasses import dataclass

from services.storage import continuation
from services.storage.continuation import LATEST
from services.storage.entries import Entry
from services.storage.errors import (
    CONTINUE_INCONSISTENT,
    LIST_EXPIRED,
    AheadError,
    CompactedError,
    ExpiredError,
    FutureRevisionError,
    InvalidError,
)
from services.storage.etcd import Etcd
from services.storage.freshness import Freshness
from services.storage.history import Event
from services.storage.keys import Place, end_of
from services.storage.selection import Selection
from services.storage.watch_cache import WatchCache

_STORE_PAGE = 500  # keys read from etcd at a time


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A list as asked for."""

    place: Place
    selection: Selection
    resource_version: str = ""
    match: str = ""
    limit: int = 0
    continue_token: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page."""

    entries: list[Entry]
    revision: int
    continue_token: str = ""
    remaining: int | None = None
    from_store: bool = False


def parse_revision(text: str) -> int:
    """Read a resourceVersion; 0 for none.

    Raises:
        InvalidError: not a number, in Go's words.
    """
    if not text:
        return 0
    if text.isascii() and text.isdigit():
        number = int(text)
        if number < 2**63:
            return number
        if number < 2**64:
            raise InvalidError(f'resourceVersion: Invalid value: "{text}": value out of range')
        why = "value out of range"
    else:
        why = "invalid syntax"
    raise InvalidError(f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": {why}')


class Lists:
    """Answers list queries."""

    def __init__(self, etcd: Etcd, cache: WatchCache, freshness: Freshness) -> None:
        self._etcd = etcd
        self._cache = cache
        self._freshness = freshness

    async def page(self, query: ListQuery) -> Listing:
        """Read one page.

        Raises:
            InvalidError: resourceVersion, match or continue token make no sense.
            ExpiredError, FutureRevisionError: the revision asked for is gone, or not there yet.
            UnavailableError, CorruptError: see errors.
        """
        if query.continue_token and query.place.key is None:
            return await self._next_page(query)
        try:
            revision = parse_revision(query.resource_version)
        except InvalidError as error:
            raise InvalidError(f"invalid resource version: {error.message}") from None
        if query.match not in ("", "Exact", "NotOlderThan"):
            raise InvalidError(f"unknown ResourceVersionMatch value: {query.match}")
        if query.match and not query.resource_version:
            raise InvalidError("resourceVersionMatch is forbidden unless resourceVersion is provided")
        if query.match == "Exact" and revision == 0:
            raise InvalidError('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
        # a revision together with a limit has meant that very revision since before there was a match to say so
        pinned = query.match == "Exact" or (
            not query.match and query.limit > 0 and revision > 0 and query.place.key is None
        )
        cache = self._cache
        if pinned:
            return await self._at(query, revision, query.place.prefix)
        if not query.resource_version:
            await cache.wait_ready()
            if await self._freshness.wait() < 0:
                return await self._from_store(query, 0, query.place.prefix)
        elif revision:
            await cache.wait(revision)
        else:
            await cache.wait_ready()
        return self._cut(query, self._current(query.place, ""), cache.revision)

    async def _next_page(self, query: ListQuery) -> Listing:
        prefix = query.place.prefix
        start, revision = continuation.decode(query.continue_token, prefix)
        if query.resource_version not in ("", "0"):
            raise InvalidError("specifying resource version is not allowed when using continue")
        if query.match:
            raise InvalidError("resourceVersionMatch is forbidden when continue is provided")
        if revision != LATEST:
            return await self._at(query, revision, start)
        await self._cache.wait_ready()
        if await self._freshness.wait() < 0:
            return await self._from_store(query, 0, start)
        return self._cut(query, self._current(query.place, start), self._cache.revision)

    async def _at(self, query: ListQuery, revision: int, start: str) -> Listing:
        """A page as of exactly a revision."""
        cache = self._cache
        await cache.wait_ready()
        if revision > cache.revision:
            now = await self._etcd.revision()
            if revision > now:
                raise FutureRevisionError(revision, now)
            try:
                await cache.wait(revision)
            except FutureRevisionError:
                return await self._from_store(query, revision, start)
        if revision < cache.history.floor:
            return await self._from_store(query, revision, start)
        entries = self._current(query.place, start)
        return self._cut(query, self._undone(query.place, start, entries, revision), revision)

    def _current(self, place: Place, start: str) -> list[Entry]:
        if place.key is not None:
            entry = self._cache.table.get(place.key)
            return [entry] if entry is not None else []
        return self._cache.table.within(place.prefix, start)

    def _undone(self, place: Place, start: str, entries: list[Entry], revision: int) -> list[Entry]:
        """The entries as they were at a revision which the history still reaches."""
        if self._cache.revision == revision:
            return entries
        before: dict[str, Event] = {}
        for event in self._cache.history.after(revision):
            key = event.key
            inside = key == place.key if place.key is not None else key.startswith(place.prefix) and key >= start
            if inside and key not in before:
                before[key] = event
        if not before:
            return entries
        kept = [entry for entry in entries if entry.key not in before]
        kept.extend(event.previous for event in before.values() if event.previous is not None)
        kept.sort(key=_by_key)
        return kept

    def _cut(self, query: ListQuery, entries: list[Entry], revision: int, *, from_store: bool = False) -> Listing:
        """Select and cut; `entries` are all that there are from the page's start on."""
        selection = query.selection
        # kube-apiserver serves resourceVersion=0 whole, whatever the limit
        single = query.place.key is not None
        limit = 0 if query.resource_version == "0" or single else max(query.limit, 0)
        total = len(entries)
        if selection.everything:
            if not limit or total <= limit:
                return Listing(entries, revision, from_store=from_store)
            page = entries[:limit]
            token = continuation.encode(page[-1].key + "\x00", query.place.prefix, revision)
            return Listing(page, revision, token, total - limit, from_store)
        if not limit:
            return Listing(selection.of(entries), revision, from_store=from_store)
        matches = selection.matches
        page = []
        for position, entry in enumerate(entries, 1):
            if matches(entry):
                page.append(entry)
                if len(page) == limit:
                    if position < total:
                        token = continuation.encode(entry.key + "\x00", query.place.prefix, revision)
                        return Listing(page, revision, token, None, from_store)
                    break
        return Listing(page, revision, from_store=from_store)

    async def _from_store(self, query: ListQuery, revision: int, start: str) -> Listing:
        """Read from etcd what memory does not have: an old revision, or the present when the cache lags."""
        place = query.place
        try:
            if place.key is not None:
                found, now = await self._etcd.get(place.key, revision=revision)
                entries = [Entry(found.key, found.value, found.mod_revision)] if found else []
                return self._cut(query, entries, revision or now, from_store=True)
            return await self._pages_from_store(query, revision, start)
        except CompactedError:
            if query.continue_token:
                token = continuation.encode(start, place.prefix, LATEST)
                raise ExpiredError(CONTINUE_INCONSISTENT, revision, self._cache.history.floor, token) from None
            raise ExpiredError(LIST_EXPIRED, revision, self._cache.history.floor) from None
        except AheadError:
            raise FutureRevisionError(revision, self._cache.revision) from None

    async def _pages_from_store(self, query: ListQuery, revision: int, start: str) -> Listing:
        place, selection = query.place, query.selection
        end = end_of(place.prefix)
        entries: list[Entry] = []
        selected, more, beyond = 0, True, 0
        while more:
            page = await self._etcd.page(start, end, limit=_STORE_PAGE, revision=revision)
            revision = revision or page.revision  # the pages to come are as of the first
            fetched = [Entry(item.key, item.value, item.mod_revision) for item in page.items]
            entries += fetched
            more, beyond = page.more, page.total - len(fetched)
            if fetched:
                start = fetched[-1].key + "\x00"
            selected += len(fetched) if selection.everything else sum(map(selection.matches, fetched))
            if 0 < query.limit <= selected:
                break
        listing = self._cut(query, entries, revision, from_store=True)
        if not more or not beyond:
            return listing
        token = continuation.encode(listing.entries[-1].key + "\x00", place.prefix, revision)
        if not selection.everything:
            return Listing(listing.entries, revision, token, None, from_store=True)
        return Listing(listing.entries, revision, token, (listing.remaining or 0) + beyond, from_store=True)


def _by_key(entry: Entry) -> str:
    return entry.key
