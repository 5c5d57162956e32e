"""A stage in a process of its own, for the tests of the transport: `python -m tests.kubehop.hop.stage_process`.

It serves the storage contract and does what the key's name asks for, so that a test can provoke each behaviour.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import grpc

from kubehop.hop import logs, process
from kubehop.hop.calls import Call
from kubehop.hop.errors import HopError
from kubehop.hop.server import ServerSettings, Stage, StageServer
from kubehop.hop.settings import Flags, StageFlags, boolean, integer
from kubehop.pb.storage.v1 import (
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DeleteResponse,
    GetRequest,
    GetResponse,
    ListChunk,
    ListPageRequest,
    ListPageResponse,
    ListRequest,
    ListResponse,
    RevisionRequest,
    RevisionResponse,
    StorageRpcs,
    UpdateRequest,
    UpdateResponse,
    WatchEvent,
    WatchRequest,
    WatchResponse,
)


class Provocations:
    """A servicer whose behaviour the caller chooses."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.cancelled = 0
        self.started = 0

    async def get(self, request: GetRequest, call: Call) -> GetResponse:
        """Sleeps `resource_version` seconds; answers with its process id and what it learned of the call."""
        self.started += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if request.resource_version:
                await asyncio.sleep(float(request.resource_version))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        call.log(verdict="found", user="jane")
        context = call.context
        deadline = "" if context.deadline is None else f"{context.deadline:.3f}"
        learned = f"{context.audit_id}|{context.traceparent}|{deadline}|{call.peer}"
        return GetResponse(object=learned.encode(), revision=os.getpid(), store_key=request.key.name)

    def create(self, request: CreateRequest, call: Call) -> CreateResponse:
        """A plain function: gives the object back, or fails with reason and metadata."""
        if request.key.name == "there":
            raise HopError(
                grpc.StatusCode.ALREADY_EXISTS,
                "there already: größe",
                reason="ERROR_REASON_ALREADY_EXISTS",
                metadata={"key": "/registry/pods/a/there"},
            )
        return CreateResponse(object=request.object, revision=len(request.object))

    async def update(self, request: UpdateRequest, call: Call) -> UpdateResponse:
        """Fails in a way that nobody foresaw."""
        raise KeyError("a secret in the text of an exception")

    async def delete(self, request: DeleteRequest, call: Call) -> DeleteResponse:
        """Answers with as many bytes as `expected_revision` says."""
        return DeleteResponse(object=b"x" * request.expected_revision)

    async def list(self, request: ListRequest, call: Call) -> AsyncIterator[ListResponse]:
        """`limit` chunks, then a failure if a continue token was given."""
        for number in range(request.limit):
            yield ListResponse(chunk=ListChunk(items=b"x" * 1000, count=number))
        if request.continue_token:
            raise HopError(
                grpc.StatusCode.OUT_OF_RANGE, "too old", reason="ERROR_REASON_EXPIRED", metadata={"oldest": "9"}
            )

    async def list_page(self, request: ListPageRequest, call: Call) -> ListPageResponse:
        """As many items as `limit` says."""
        return ListPageResponse(count=request.list.limit)

    async def watch(self, request: WatchRequest, call: Call) -> AsyncIterator[WatchResponse]:
        """Events until the caller goes."""
        number = 0
        try:
            while True:
                number += 1
                yield WatchResponse(events=[WatchEvent(revision=number)])
                await asyncio.sleep(0.005)
        finally:
            self.cancelled += 1

    async def revision(self, request: RevisionRequest, call: Call) -> RevisionResponse:
        """`revision` is the most Gets that ran at a time, `cached_revision` what was cancelled."""
        return RevisionResponse(revision=self.most, cached_revision=self.cancelled)


def main() -> None:
    flags = Flags("stage_process", "A stage for the tests.")
    stage_flags = StageFlags(flags)
    limit = flags.add("--max-in-flight", integer(1, 100_000), default="1024", help="calls at a time")
    exchange = flags.add("--exchange", boolean, default="true", help="offer the exchange lane")
    serving = flags.add("--serving", boolean, default="true", help="say that it serves")
    values = flags.parse()
    settings = stage_flags.settings(values)
    logs.configure("storage", settings.log)

    async def run() -> None:
        server = StageServer(
            Stage("storage", "kubehop.storage.v1", "7", ("tests",), "abc"),
            StorageRpcs.SERVICE,
            Provocations(),
            listen=settings.listen,
            tls=settings.tls,
            settings=ServerSettings(max_in_flight=values[limit], exchange=values[exchange]),
        )
        await server.start()
        server.set_serving(values[serving])
        print(server.address, flush=True)  # the test waits for this line
        await process.until_stopped()
        await server.stop(settings.grace)

    process.run(run)


if __name__ == "__main__":
    main()
