"""Streams of the typed contract: order, failures, cancellation, loss, stop."""

from __future__ import annotations

import asyncio
import time

import grpc
import pytest

from kubehop.hop.calls import CallContext
from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import ListRequest, RevisionRequest, StorageRpcs, WatchRequest


async def closed_watches(client, count: int) -> None:
    for _ in range(100):
        seen = (await client.call(StorageRpcs.REVISION, RevisionRequest())).cached_revision
        if seen == count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{seen} watches closed, not {count}")


async def test_responses_in_order(start_stage, new_client) -> None:
    """All responses arrive in order, then the iteration ends."""
    stage = await start_stage()
    client = new_client(stage.address)
    chunks = [part.chunk.count async for part in client.stream(StorageRpcs.LIST, ListRequest(limit=2000))]
    assert chunks == list(range(2000))
    assert [part async for part in client.stream(StorageRpcs.LIST, ListRequest())] == []


async def test_failure_after_responses(start_stage, new_client) -> None:
    """A stream that fails half-way gives what came before, then the servicer's error with reason and metadata."""
    stage = await start_stage()
    client = new_client(stage.address)
    stream = client.stream(StorageRpcs.LIST, ListRequest(limit=3, continue_token="old"))
    assert [(await anext(stream)).chunk.count for _ in range(3)] == [0, 1, 2]
    with pytest.raises(HopError) as caught:
        await anext(stream)
    assert caught.value.code is grpc.StatusCode.OUT_OF_RANGE
    assert caught.value.reason == "ERROR_REASON_EXPIRED"
    assert caught.value.metadata == {"oldest": "9"}
    assert caught.value.stage == "storage"


async def test_closing_the_iterator_cancels(start_stage, new_client) -> None:
    """aclose() ends the servicer's generator, its clean-up included."""
    stage = await start_stage()
    client = new_client(stage.address)
    watch = client.stream(StorageRpcs.WATCH, WatchRequest())
    revisions = [(await anext(watch)).events[0].revision for _ in range(3)]
    assert revisions == [1, 2, 3]
    await watch.aclose()
    await closed_watches(client, 1)


async def test_cancelling_the_reader_cancels(start_stage, new_client) -> None:
    """Cancelling the task that iterates cancels the stream and stays a cancellation."""
    stage = await start_stage()
    client = new_client(stage.address)

    async def read() -> None:
        async for _ in client.stream(StorageRpcs.WATCH, WatchRequest()):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await closed_watches(client, 1)


async def test_deadline_of_a_stream(start_stage, new_client) -> None:
    """A stream with a deadline ends with DEADLINE_EXCEEDED."""
    stage = await start_stage()
    client = new_client(stage.address)
    with pytest.raises(HopError) as caught:
        async for _ in client.stream(StorageRpcs.WATCH, WatchRequest(), CallContext(deadline=time.time() + 0.3)):
            pass
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_kill_ends_streams(start_stage, new_client) -> None:
    """kill -9 of the stage fails open streams with UNAVAILABLE at once."""
    stage = await start_stage()
    client = new_client(stage.address)
    watch = client.stream(StorageRpcs.WATCH, WatchRequest())
    await anext(watch)
    await stage.kill()
    began = time.monotonic()
    with pytest.raises(HopError) as caught:
        async for _ in watch:
            pass
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert caught.value.stage == "storage"
    assert time.monotonic() - began < 2


async def test_stop_ends_watches_soon(start_stage, new_client) -> None:
    """A stopping stage does not spend its grace on endless streams: they fail with UNAVAILABLE after a second."""
    stage = await start_stage()
    client = new_client(stage.address)
    watch = client.stream(StorageRpcs.WATCH, WatchRequest())
    await anext(watch)
    began = time.monotonic()
    stopping = asyncio.create_task(stage.stop())
    with pytest.raises(HopError, match="stopping") as caught:
        async for _ in watch:
            pass
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert await stopping == 0
    assert time.monotonic() - began < 5


async def test_closing_the_client_ends_streams(start_stage, new_client) -> None:
    """A stream that is open when its client closes fails with UNAVAILABLE; its reader is not cancelled."""
    stage = await start_stage()
    client = new_client(stage.address)
    watch = client.stream(StorageRpcs.WATCH, WatchRequest())
    await anext(watch)
    await client.close()
    with pytest.raises(HopError) as caught:
        async for _ in watch:
            pass
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE


async def test_many_streams_do_not_use_up_the_lane(start_stage, new_client) -> None:
    """Streams hold no place among the calls in flight."""
    stage = await start_stage()
    client = new_client(stage.address)
    watches = [client.stream(StorageRpcs.WATCH, WatchRequest()) for _ in range(50)]
    for watch in watches:
        await anext(watch)
    for watch in watches:
        await watch.aclose()
    await closed_watches(client, 50)
