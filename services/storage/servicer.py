"""The storage contract on the wire: requests in, answers out, errors with their reasons. No knowledge of etcd.

`__main__` registers it with the hop server. It turns the contract's keys into places and hands over to store, lists and
watches.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Final

import grpc

from kubehop.hop.calls import Call
from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import (
    ERROR_REASON_ALREADY_EXISTS,
    ERROR_REASON_CONFLICT,
    ERROR_REASON_CORRUPT,
    ERROR_REASON_EXPIRED,
    ERROR_REASON_FUTURE_REVISION,
    ERROR_REASON_INVALID,
    ERROR_REASON_NOT_FOUND,
    ERROR_REASON_TOO_LARGE,
    ERROR_REASON_UNAVAILABLE,
    ERROR_REASON_UNKNOWN_OUTCOME,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DeleteResponse,
    ErrorReason,
    GetRequest,
    Key,
    ListPageRequest,
    ListRequest,
    RevisionRequest,
    RevisionResponse,
    UpdateRequest,
    UpdateResponse,
    WatchRequest,
)
from services.storage.errors import InvalidError, StorageError
from services.storage.etcd import Etcd
from services.storage.keys import KeyLayout, Place, StoreKey
from services.storage.lists import Listing, ListQuery, Lists
from services.storage.responses import Encoded, get_response, list_responses, page_response
from services.storage.selection import selection
from services.storage.store import Store
from services.storage.watch_cache import WatchCache
from services.storage.watches import Watches, WatchQuery

_CODES: Final = {
    ERROR_REASON_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ERROR_REASON_ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    ERROR_REASON_CONFLICT: grpc.StatusCode.ABORTED,
    ERROR_REASON_EXPIRED: grpc.StatusCode.OUT_OF_RANGE,
    ERROR_REASON_FUTURE_REVISION: grpc.StatusCode.OUT_OF_RANGE,
    ERROR_REASON_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    ERROR_REASON_TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ERROR_REASON_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ERROR_REASON_UNKNOWN_OUTCOME: grpc.StatusCode.UNKNOWN,
    ERROR_REASON_CORRUPT: grpc.StatusCode.DATA_LOSS,
}


def as_hop_error(error: StorageError) -> HopError:
    """The failure as callers get it."""
    return HopError(
        _CODES.get(error.reason, grpc.StatusCode.INTERNAL),
        error.message,
        reason=ErrorReason.Name(error.reason),
        metadata=error.metadata,
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """What the servicer stands on."""

    layout: KeyLayout
    etcd: Etcd
    cache: WatchCache
    store: Store
    lists: Lists
    watches: Watches


class StorageServicer:
    """kubehop.storage.v1.Storage."""

    def __init__(self, parts: Parts) -> None:
        self._layout = parts.layout
        self._etcd = parts.etcd
        self._cache = parts.cache
        self._store = parts.store
        self._lists = parts.lists
        self._watches = parts.watches

    def get(self, request: GetRequest, call: Call) -> Encoded | Awaitable[Encoded]:
        """Read one object; resourceVersion "0" is answered without waiting for anything."""
        key = self._object_key(request.key)
        revision = request.resource_version
        if revision == "0":
            entry = self._store.get_at_once(key)
            if entry is not None and not entry.corrupt:
                call.log(key=key, revision=entry.revision, source="cache")
                return get_response(entry, from_store=False)
        return self._get(key, revision, call)

    async def _get(self, key: StoreKey, revision: str, call: Call) -> Encoded:
        try:
            entry, from_store = await self._store.get(key, revision)
            entry.check()
        except StorageError as error:
            call.log(key=key)
            raise as_hop_error(error) from None
        call.log(key=key, revision=entry.revision, source="store" if from_store else "cache")
        return get_response(entry, from_store=from_store)

    async def create(self, request: CreateRequest, call: Call) -> CreateResponse:
        """Store a new object."""
        key = self._object_key(request.key)
        call.log(key=key)
        try:
            kept = await self._store.create(key, request.object, request.ttl_seconds)
        except StorageError as error:
            raise as_hop_error(error) from None
        call.log(revision=kept.revision)
        return CreateResponse(object=kept.json, revision=kept.revision, store_key=key)

    async def update(self, request: UpdateRequest, call: Call) -> UpdateResponse:
        """Replace an object."""
        key = self._object_key(request.key)
        call.log(key=key)
        try:
            kept = await self._store.update(key, request.object, request.expected_revision, request.ttl_seconds)
        except StorageError as error:
            raise as_hop_error(error) from None
        call.log(revision=kept.revision, unchanged=kept.unchanged or None)
        return UpdateResponse(object=kept.json, revision=kept.revision, store_key=key, unchanged=kept.unchanged)

    async def delete(self, request: DeleteRequest, call: Call) -> DeleteResponse:
        """Remove an object."""
        key = self._object_key(request.key)
        call.log(key=key)
        try:
            kept = await self._store.delete(key, request.expected_revision, request.expected_uid)
        except StorageError as error:
            raise as_hop_error(error) from None
        call.log(revision=kept.revision)
        return DeleteResponse(object=kept.json, revision=kept.revision, store_key=key)

    async def list(self, request: ListRequest, call: Call) -> AsyncIterator[Encoded]:
        """Read a collection: header, then chunks."""
        try:
            place = self._place(request.key)
            listing = await self._listing(place, request, call)
            for response in list_responses(listing, with_type_meta=request.with_type_meta or not place.built_in):
                yield response
        except StorageError as error:
            raise as_hop_error(error) from None

    async def list_page(self, request: ListPageRequest, call: Call) -> Encoded:
        """Read a collection that fits into one answer."""
        try:
            wanted = request.list
            place = self._place(wanted.key)
            listing = await self._listing(place, wanted, call)
            return page_response(listing, with_type_meta=wanted.with_type_meta or not place.built_in)
        except StorageError as error:
            raise as_hop_error(error) from None

    async def _listing(self, place: Place, request: ListRequest, call: Call) -> Listing:
        listing = await self._lists.page(
            ListQuery(
                place,
                selection(request.label_selector, request.field_selector, place.resource_prefix),
                request.resource_version,
                request.resource_version_match,
                request.limit,
                request.continue_token,
            )
        )
        call.log(
            key=place.key or place.prefix,
            revision=listing.revision,
            items=len(listing.entries),
            source="store" if listing.from_store else "cache",
        )
        return listing

    async def watch(self, request: WatchRequest, call: Call) -> AsyncIterator[Encoded]:
        """Follow a collection."""
        try:
            place = self._place(request.key)
            call.log(key=place.key or place.prefix, since=request.resource_version)
            query = WatchQuery(
                place,
                selection(request.label_selector, request.field_selector, place.resource_prefix),
                request.resource_version,
                request.allow_bookmarks,
                request.send_initial_events if request.HasField("send_initial_events") else None,
            )
            responses = self._watches.responses(query)
            try:
                async for response in responses:
                    yield Encoded(response)
            finally:
                await responses.aclose()
        except StorageError as error:
            raise as_hop_error(error) from None

    async def revision(self, request: RevisionRequest, call: Call) -> RevisionResponse:  # noqa: ARG002 - the contract's
        """Tell the store's revision."""
        try:
            current = await self._etcd.revision()
        except StorageError as error:
            raise as_hop_error(error) from None
        return RevisionResponse(revision=current, cached_revision=self._cache.revision)

    def _place(self, key: Key) -> Place:
        return self._layout.place(key.group, key.resource, key.namespace, key.name)

    def _object_key(self, key: Key) -> StoreKey:
        try:
            found = self._place(key).key
        except InvalidError as error:
            raise as_hop_error(error) from None
        if found is None:
            raise as_hop_error(InvalidError("the key needs a name"))
        return found
