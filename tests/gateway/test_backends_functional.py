"""The gateway's calls of the storage stage, against stages that offer more or less."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import cast

from gateway.backends import StorageBackend
from gateway.context import RequestContext
from kubehop.hop.calls import CallContext
from kubehop.hop.client import StageClient
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.storage.v1 import (
    Key,
    ListHeader,
    ListPageRequest,
    ListPageResponse,
    ListRequest,
    ListResponse,
    StorageRpcs,
)
from tests.kubehop.hop.stage_process import Provocations


class _Request:
    """What a backend asks of a request."""

    hops = None
    call = CallContext()


REQUEST = cast("RequestContext", _Request())


class Pages(Provocations):
    """Lists of more than one item have to be streamed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def list_page(self, request: ListPageRequest, call: object) -> ListPageResponse:
        self.asked.append("page")
        if request.list.limit > 1:
            return ListPageResponse()
        return ListPageResponse(header=ListHeader(revision=7), items=b"{}", count=1)

    async def list(self, request: ListRequest, call: object):
        self.asked.append("stream")
        yield ListResponse(header=ListHeader(revision=8))


async def listed(backend: StorageBackend, limit: int) -> list[ListResponse]:
    message = ListRequest(key=Key(resource="pods"), limit=limit)
    return [part async for part in backend.list(REQUEST, message)]


async def test_small_lists_spare_the_stream(tmp_path: Path) -> None:
    """A list in one answer needs no stream; one that did not fit is streamed, and asked for so while it is large."""
    servicer = Pages()
    listen = f"unix:{tmp_path}/stage.sock"
    server = StageServer(Stage("storage", "kubehop.storage.v1"), StorageRpcs.SERVICE, servicer, listen=listen)
    await server.start()
    server.set_serving(True)
    client = StageClient("storage", [listen])
    try:
        await client.wait_ready(10)
        backend = StorageBackend(client)
        header, chunk = await listed(backend, 1)
        assert (header.header.revision, chunk.chunk.items, servicer.asked) == (7, b"{}", ["page"])
        servicer.asked.clear()
        assert (await listed(backend, 2))[0].header.revision == 8
        assert servicer.asked == ["page", "stream"]
    finally:
        await client.close()
        await server.stop(0.2)


async def test_lists_of_a_stage_without_pages(tmp_path: Path) -> None:
    """A stage that knows nothing of lists in one answer is asked once, and streams."""
    listen = f"unix:{tmp_path}/plain.sock"
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.kubehop.hop.plain_stage", listen)
    client = StageClient("storage", [listen])
    try:
        await client.wait_ready(10)
        backend = StorageBackend(client)
        for _ in range(2):
            assert [part.chunk.count for part in await listed(backend, 3)] == [0, 1, 2]
    finally:
        await client.close()
        process.terminate()
        await process.wait()
