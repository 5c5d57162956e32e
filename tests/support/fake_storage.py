"""A verified fake of the storage contract: one revision counter, objects in memory, and faults on demand.

Speaks the contract over a real hop, on a unix socket. tests/kubehop/reflector runs the same suite against it and
against the real storage stage, which is what verifies it. It covers what readers of storage use: writes, and watches
with initial events, resumption, bookmarks and expiry.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import orjson

from kubehop.hop.calls import Call
from kubehop.hop.errors import HopError
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.storage.v1 import (
    ERROR_REASON_EXPIRED,
    EVENT_TYPE_ADDED,
    EVENT_TYPE_BOOKMARK,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_ERROR,
    EVENT_TYPE_MODIFIED,
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DeleteResponse,
    GetRequest,
    GetResponse,
    Key,
    ListPageRequest,
    ListPageResponse,
    ListRequest,
    ListResponse,
    RevisionRequest,
    RevisionResponse,
    StorageRpcs,
    UpdateRequest,
    UpdateResponse,
    WatchError,
    WatchEvent,
    WatchRequest,
    WatchResponse,
)

Place = tuple[str, str, str, str]


def _place(key: Key) -> Place:
    return key.group, key.resource, key.namespace, key.name


class FakeStorage:
    """Servicer of kubehop.storage.v1 with handles for faults."""

    def __init__(self) -> None:
        self.revision = 1
        self.oldest = 1
        self.answers_revision = True
        self.watches_opened: list[WatchRequest] = []
        self._objects: dict[Place, tuple[bytes, int]] = {}
        self._log: list[tuple[Place, WatchEvent]] = []
        self._watchers: dict[asyncio.Queue[WatchResponse | None], tuple[str, str]] = {}

    # the contract

    async def create(self, request: CreateRequest, call: Call) -> CreateResponse:
        data = self._write(_place(request.key), request.object, EVENT_TYPE_ADDED)
        return CreateResponse(object=data, revision=self.revision)

    async def update(self, request: UpdateRequest, call: Call) -> UpdateResponse:
        data = self._write(_place(request.key), request.object, EVENT_TYPE_MODIFIED)
        return UpdateResponse(object=data, revision=self.revision)

    async def delete(self, request: DeleteRequest, call: Call) -> DeleteResponse:
        place = _place(request.key)
        if place not in self._objects:
            raise HopError(grpc.StatusCode.NOT_FOUND, "not found", reason="ERROR_REASON_NOT_FOUND")
        data = self._write(place, self._objects[place][0], EVENT_TYPE_DELETED)
        return DeleteResponse(object=data, revision=self.revision)

    async def get(self, request: GetRequest, call: Call) -> GetResponse:
        data, revision = self._objects[_place(request.key)]
        return GetResponse(object=data, revision=revision)

    async def list(self, request: ListRequest, call: Call) -> AsyncIterator[ListResponse]:
        raise HopError(grpc.StatusCode.UNIMPLEMENTED, "readers of this fake watch")
        yield ListResponse()

    async def list_page(self, request: ListPageRequest, call: Call) -> ListPageResponse:
        raise HopError(grpc.StatusCode.UNIMPLEMENTED, "readers of this fake watch")

    async def revision_(self) -> RevisionResponse:
        return RevisionResponse(revision=self.revision, cached_revision=self.revision)

    async def watch(self, request: WatchRequest, call: Call) -> AsyncIterator[WatchResponse]:
        self.watches_opened.append(request)
        group, resource = request.key.group, request.key.resource
        queue: asyncio.Queue[WatchResponse | None] = asyncio.Queue()
        if request.resource_version:
            since = int(request.resource_version)
            if since < self.oldest:
                error = WatchError(reason=ERROR_REASON_EXPIRED, message=f"too old resource version: {since}")
                yield WatchResponse(events=[WatchEvent(type=EVENT_TYPE_ERROR, error=error)])
                return
            first = [e for p, e in self._log if p[:2] == (group, resource) and e.revision > since]
        else:
            first = [
                WatchEvent(type=EVENT_TYPE_ADDED, object=data, revision=revision)
                for place, (data, revision) in sorted(self._objects.items())
                if place[:2] == (group, resource)
            ]
            first.append(WatchEvent(type=EVENT_TYPE_BOOKMARK, revision=self.revision, initial_events_end=True))
        self._watchers[queue] = (group, resource)
        try:
            for event in first:
                yield WatchResponse(events=[event])
            while (response := await queue.get()) is not None:
                yield response
        finally:
            self._watchers.pop(queue, None)

    # faults

    def compact(self) -> None:
        """Forget the past: watches from before now expire."""
        self.oldest = self.revision
        self._log.clear()

    def drop_watches(self) -> None:
        """End every open watch."""
        for queue in self._watchers:
            queue.put_nowait(None)

    def bookmark(self) -> None:
        """Send a bookmark on every watch."""
        response = WatchResponse(events=[WatchEvent(type=EVENT_TYPE_BOOKMARK, revision=self.revision)])
        for queue in self._watchers:
            queue.put_nowait(response)

    def _write(self, place: Place, data: bytes, kind: Any) -> bytes:
        if kind == EVENT_TYPE_ADDED and place in self._objects:
            raise HopError(grpc.StatusCode.ALREADY_EXISTS, "exists", reason="ERROR_REASON_ALREADY_EXISTS")
        self.revision += 1
        obj = orjson.loads(data)
        obj["metadata"]["resourceVersion"] = str(self.revision)
        data = orjson.dumps(obj)
        if kind == EVENT_TYPE_DELETED:
            del self._objects[place]
        else:
            self._objects[place] = (data, self.revision)
        event = WatchEvent(type=kind, object=data, revision=self.revision)
        self._log.append((place, event))
        for queue, watched in self._watchers.items():
            if watched == place[:2]:
                queue.put_nowait(WatchResponse(events=[event]))
        return data


class _Servicer:
    """The fake under the names of the RPCs; `revision` is an attribute of the fake itself."""

    def __init__(self, fake: FakeStorage) -> None:
        self._fake = fake
        self.create, self.get, self.list = fake.create, fake.get, fake.list
        self.list_page = fake.list_page
        self.update, self.delete, self.watch = fake.update, fake.delete, fake.watch

    async def revision(self, request: RevisionRequest, call: Call) -> RevisionResponse:
        if not self._fake.answers_revision:
            await asyncio.sleep(3600)
        return await self._fake.revision_()


@asynccontextmanager
async def serving(fake: FakeStorage, socket: Path) -> AsyncIterator[StageServer]:
    """Serve the fake on a unix socket."""
    stage = Stage(name="storage", contract="kubehop.storage.v1")
    server = StageServer(stage, StorageRpcs.SERVICE, _Servicer(fake), listen=f"unix:{socket}")
    await server.start()
    server.set_serving(True)
    try:
        yield server
    finally:
        fake.drop_watches()
        await server.stop(0.1)
