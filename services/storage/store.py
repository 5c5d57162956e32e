"""One object at a time: get, create, update, delete.

The servicer calls it with places and bytes. Reads come from memory when it is fresh enough; writes are etcd
transactions on the key's mod revision, as kube-apiserver's are (pkg/storage/etcd3/store.go). A write whose answer is
lost is looked up, never repeated.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import NamedTuple, NoReturn

from services.storage import documents
from services.storage.documents import Document
from services.storage.entries import Entry
from services.storage.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnavailableError,
    UnknownOutcomeError,
)
from services.storage.etcd import Etcd, KeyValue, Written
from services.storage.freshness import Freshness
from services.storage.history import Event
from services.storage.leases import Leases
from services.storage.lists import parse_revision
from services.storage.watch_cache import WatchCache

_LOOK_AGAIN = 0.2  # seconds between attempts to learn what came of a write


class Read(NamedTuple):
    """An object and where it was read."""

    entry: Entry
    from_store: bool


class Kept(NamedTuple):
    """An object as a write left it, or found it."""

    json: bytes
    revision: int
    unchanged: bool = False


class Store:
    """Keeps objects in etcd."""

    def __init__(
        self, etcd: Etcd, cache: WatchCache, freshness: Freshness, leases: Leases, *, patience_seconds: float = 20.0
    ) -> None:
        """`patience_seconds` bounds how long the outcome of a write is looked for while etcd is out of reach."""
        self._etcd = etcd
        self._cache = cache
        self._freshness = freshness
        self._leases = leases
        self._patience = patience_seconds

    def get_at_once(self, key: str) -> Entry | None:
        """The object in memory, if memory is ready: what resourceVersion "0" asks for."""
        return self._cache.table.get(key) if self._cache.ready.is_set() else None

    async def get(self, key: str, resource_version: str) -> Read:
        """Read an object: the latest state, any ("0"), or one not older than a revision.

        Raises:
            NotFoundError: none there. FutureRevisionError: the revision has not been reached in time.
            InvalidError: the revision is no number. UnavailableError: etcd is out of reach.
        """
        cache = self._cache
        if not cache.ready.is_set():
            await cache.wait_ready()
        if not resource_version:
            if await self._freshness.wait() < 0:
                return Read(await self._stored(key), from_store=True)
        elif resource_version != "0":
            await cache.wait(parse_revision(resource_version))
        entry = cache.table.get(key)
        if entry is None:
            raise NotFoundError(key)
        return Read(entry, from_store=False)

    async def create(self, key: str, value: bytes, ttl_seconds: int = 0) -> Kept:
        """Store a new object.

        Raises:
            AlreadyExistsError, InvalidError, TooLargeError, UnavailableError, UnknownOutcomeError: see errors.
        """
        document = _document(value)
        since = self._cache.revision
        try:
            written = await self._put(key, 0, document, ttl_seconds)
        except UnknownOutcomeError as error:
            revision = await self._find_out(key, document, 0, since, error)
            if revision == 0:
                raise AlreadyExistsError(key) from None
            return _kept(document, revision)
        if not written.done:
            raise AlreadyExistsError(key)
        return _kept(document, written.revision)

    async def update(self, key: str, value: bytes, expected: int, ttl_seconds: int = 0) -> Kept:
        """Replace an object last written at the expected revision. The same bytes again are not written.

        Raises:
            NotFoundError, ConflictError: it is not as expected.
            InvalidError, TooLargeError, UnavailableError, UnknownOutcomeError: see errors.
        """
        if expected <= 0:
            raise InvalidError("an update needs the revision at which the object was read")
        document = _document(value)
        known = self._cache.table.get(key)
        if (known is None or known.revision < expected) and self._cache.ready.is_set():
            # a caller who has just written is a moment ahead of memory, which must know the object to spare the write
            await self._briefly_wait_for(expected)
            known = self._cache.table.get(key)
        if known is not None and known.revision == expected and known.holds(document):
            current, _ = await self._etcd.get(key)
            if current is None or current.mod_revision != expected:
                _refuse(key, expected, current)
            if not current.stale:
                return Kept(known.json, expected, unchanged=True)
        since = self._cache.revision
        try:
            written = await self._put(key, expected, document, ttl_seconds)
        except UnknownOutcomeError as error:
            revision = await self._find_out(key, document, expected, since, error)
            if revision == 0:
                current, _ = await self._etcd.get(key)
                _refuse(key, expected, current)
            return _kept(document, revision)
        if not written.done:
            _refuse(key, expected, written.current)
        return _kept(document, written.revision)

    async def delete(self, key: str, expected: int = 0, uid: str = "") -> Kept:
        """Remove an object if it has the expected revision and uid (0 and "" for any); returns its last state.

        Raises:
            NotFoundError, ConflictError, CorruptError, UnavailableError, UnknownOutcomeError: see errors.
        """
        # what memory holds is a good guess; the transaction tells whether it was right
        entry = self._cache.table.get(key)
        certain = entry is None or not _fits(entry, expected, uid)
        if certain:
            entry = await self._stored(key)
        while True:
            assert entry is not None
            if not _fits(entry, expected, uid):
                _refuse_deletion(entry, expected, uid)
            entry.check()
            since = self._cache.revision
            try:
                written = await self._etcd.delete_if(key, entry.revision)
            except UnknownOutcomeError as error:
                revision = await self._find_out(key, None, entry.revision, since, error)
                if revision == 0:
                    entry = await self._stored(key)
                    continue
                return Kept(entry.json_at(revision), revision)
            if written.done:
                return Kept(entry.json_at(written.revision), written.revision)
            if written.current is None:
                raise NotFoundError(key)
            entry = _entry(written.current)

    async def _stored(self, key: str) -> Entry:
        current, _ = await self._etcd.get(key)
        if current is None:
            raise NotFoundError(key)
        return _entry(current)

    async def _put(self, key: str, expected: int, document: Document, ttl_seconds: int) -> Written:
        if not ttl_seconds:
            return await self._etcd.put_if(key, expected, document.stored())
        lease = await self._leases.lease(ttl_seconds)
        try:
            return await self._etcd.put_if(key, expected, document.stored(), lease)
        except UnavailableError:
            # also what etcd answers when the lease has ended: the next write gets another one
            self._leases.forget()
            raise

    async def _briefly_wait_for(self, revision: int) -> None:
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._cache.reaches(revision, lambda: None if reached.done() else reached.set_result(None))
        try:
            async with asyncio.timeout(0.5):
                await reached
        except TimeoutError:
            return  # then the write decides

    async def _find_out(
        self, key: str, document: Document | None, expected: int, since: int, error: UnknownOutcomeError
    ) -> int:
        """Learn what came of a write (document None: a deletion) whose answer was lost.

        Returns:
            The revision of the write; 0 when it certainly did not happen and cannot happen any more, because somebody
            else's write came first.

        Raises:
            UnknownOutcomeError: the key is as it was before: the write may still be on its way. Or nobody can tell.
        """
        deadline = monotonic() + self._patience
        while True:
            try:
                current, revision = await self._etcd.get(key)
                break
            except UnavailableError:
                if monotonic() > deadline:
                    raise error from None
                await asyncio.sleep(_LOOK_AGAIN)
        now = current.mod_revision if current else 0
        if document is not None and current is not None and now > expected and current.value == document.stored():
            return now
        if now == expected:
            # nothing is there; or our object was, until somebody deleted it
            if expected == 0 and (found := await self._find_in_history(key, document, 0, since, revision, error)):
                return found
            why = "it had not happened when read back, and may still happen"
            raise UnknownOutcomeError(f"{error.message}; {why}") from None
        return await self._find_in_history(key, document, expected, since, revision, error)

    async def _find_in_history(
        self, key: str, document: Document | None, expected: int, since: int, until: int, error: UnknownOutcomeError
    ) -> int:
        """Look for our write among those that followed the expected state up to a revision."""
        cache = self._cache
        try:
            await cache.wait(until)
        except (UnavailableError, TimeoutError):
            raise error from None
        begin = max(expected, since) if expected == 0 else expected
        if begin < cache.history.floor:
            raise error
        for event in cache.history.after(begin):
            if event.key == key and _is_ours(event, document):
                return event.revision
        return 0


def _is_ours(event: Event, document: Document | None) -> bool:
    if document is None:
        # two deletions of one state are the same deletion: who asked is not recorded
        return event.entry is None
    return event.entry is not None and event.entry.holds(document)


def _document(value: bytes) -> Document:
    try:
        return documents.written(value)
    except documents.MalformedError as error:
        raise InvalidError(f"the object is not valid JSON: {error}") from None


def _kept(document: Document, revision: int) -> Kept:
    return Kept(document.head + documents.body(document.rest, revision), revision)


def _entry(found: KeyValue) -> Entry:
    return Entry(found.key, found.value, found.mod_revision)


def _refuse(key: str, expected: int, current: KeyValue | None) -> NoReturn:
    if current is None:
        raise NotFoundError(key)
    raise ConflictError(key, "resourceVersion", str(expected), str(current.mod_revision))


def _fits(entry: Entry, expected: int, uid: str) -> bool:
    return (not expected or entry.revision == expected) and (not uid or entry.uid == uid)


def _refuse_deletion(entry: Entry, expected: int, uid: str) -> NoReturn:
    if uid and entry.uid != uid:
        raise ConflictError(entry.key, "uid", uid, entry.uid)
    raise ConflictError(entry.key, "resourceVersion", str(expected), str(entry.revision))
