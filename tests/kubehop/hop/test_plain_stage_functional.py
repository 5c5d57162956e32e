"""A stage written with nothing but grpcio and the typed contract works through the fall-back."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import grpc
import pytest

from kubehop.hop.calls import CallContext
from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import (
    CreateRequest,
    GetRequest,
    Key,
    ListRequest,
    StorageRpcs,
    WatchRequest,
)
from tests.kubehop.hop.conftest import QUICK


@pytest.fixture
async def plain(start_stage):
    return await start_stage(module="plain_stage", positional=True)


async def test_unary_calls(plain, new_client) -> None:
    """Calls arrive with their audit id as metadata; Describe is absent, health counts as good."""
    client = new_client(plain.address)
    await client.wait_ready(10)
    assert await client.describe() is None
    assert await client.health()
    answers = await asyncio.gather(
        *(client.call(StorageRpcs.GET, GetRequest(key=Key(name=str(n))), CallContext("id-1")) for n in range(200))
    )
    assert [answer.store_key for answer in answers] == [str(n) for n in range(200)]
    assert {answer.object for answer in answers} == {b"id-1"}


async def test_errors(plain, new_client) -> None:
    """Reason and metadata come from the trailer; without it the gRPC status is all there is."""
    client = new_client(plain.address)
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, GetRequest(key=Key(name="absent")))
    assert caught.value.code is grpc.StatusCode.NOT_FOUND
    assert caught.value.reason == "ERROR_REASON_NOT_FOUND"
    assert caught.value.metadata == {"key": "/registry/absent"}
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, GetRequest(key=Key(name="bare")))
    assert (caught.value.code, caught.value.message) == (grpc.StatusCode.PERMISSION_DENIED, "no trailer here")
    assert caught.value.reason == ""
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.CREATE, CreateRequest())
    assert caught.value.code is grpc.StatusCode.UNIMPLEMENTED


async def test_streams_and_deadline(plain, new_client) -> None:
    """Streams are the typed ones in any case, and deadlines are gRPC's own."""
    client = new_client(plain.address)
    chunks = [part.chunk.count async for part in client.stream(StorageRpcs.LIST, ListRequest(limit=5))]
    assert chunks == [0, 1, 2, 3, 4]
    watch = client.stream(StorageRpcs.WATCH, WatchRequest())
    for _ in range(3):
        await anext(watch)
    await watch.aclose()
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, GetRequest(resource_version="5"), CallContext(deadline=time.time() + 0.2))
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_bound_applies(plain, new_client) -> None:
    """Calls to such a stage are bounded and wait in line as those on a lane do."""
    client = new_client(plain.address, settings=dataclasses.replace(QUICK, max_in_flight=2))
    await client.wait_ready(10)
    began = time.monotonic()
    await asyncio.gather(*(client.call(StorageRpcs.GET, GetRequest(resource_version="0.05")) for _ in range(10)))
    assert time.monotonic() - began > 0.24


async def test_loss_and_return(plain, start_stage, new_client) -> None:
    """Its loss fails calls in flight, is noticed, and it is used again when it is back."""
    client = new_client(plain.address)
    await client.wait_ready(10)
    call = asyncio.create_task(client.call(StorageRpcs.GET, GetRequest(resource_version="20")))
    await asyncio.sleep(0.2)
    await plain.kill()
    with pytest.raises(HopError) as caught:
        await call
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert caught.value.stage == "storage"
    for _ in range(200):
        if not client.ready:
            break
        await asyncio.sleep(0.02)
    assert not client.ready
    await start_stage(module="plain_stage", positional=True)
    await client.wait_ready(10)
    await client.call(StorageRpcs.GET, GetRequest())
