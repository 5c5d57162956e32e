"""Several replicas of a stage: turns, losses, readiness."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections import Counter

import grpc
import pytest

from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import GetRequest, Key, ListRequest, RevisionRequest, StorageRpcs
from tests.kubehop.hop.conftest import QUICK


def get(seconds: float = 0.0) -> GetRequest:
    return GetRequest(key=Key(name="a"), resource_version=str(seconds) if seconds else "")


@pytest.fixture
async def two(folder, start_stage):
    first, second = await asyncio.gather(
        start_stage(listen=f"unix:{folder}/1.sock"), start_stage(listen=f"unix:{folder}/2.sock")
    )
    return first, second


async def both_ready(client) -> None:
    for _ in range(500):
        if len(client._ready) == 2:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not both replicas became ready")


async def test_replicas_take_turns(two, new_client) -> None:
    """Calls are spread evenly over the ready replicas."""
    first, second = two
    client = new_client(first.address, second.address)
    await client.connect()
    await both_ready(client)
    answers = [await client.call(StorageRpcs.GET, get()) for _ in range(20)]
    assert Counter(answer.revision for answer in answers) == {first.pid: 10, second.pid: 10}


async def test_loss_of_one_replica(two, new_client) -> None:
    """Only the calls in flight on the lost replica fail; the other one serves on, and the lost one comes back."""
    first, second = two
    client = new_client(first.address, second.address)
    await client.connect()
    await both_ready(client)
    calls = [asyncio.create_task(client.call(StorageRpcs.GET, get(1.0))) for _ in range(20)]
    await asyncio.sleep(0.2)
    await first.kill()
    results = await asyncio.gather(*calls, return_exceptions=True)
    failed = [result for result in results if isinstance(result, HopError)]
    assert len(failed) == 10
    assert {error.code for error in failed} == {grpc.StatusCode.UNAVAILABLE}
    assert client.ready
    for _ in range(20):
        assert (await client.call(StorageRpcs.GET, get())).revision == second.pid


async def test_lost_replica_comes_back(folder, two, start_stage, new_client) -> None:
    """A replica that is started again takes its turn again."""
    first, second = two
    client = new_client(first.address, second.address)
    await client.connect()
    await both_ready(client)
    await first.kill()
    await asyncio.sleep(0.1)
    again = await start_stage(listen=first.address)
    await both_ready(client)
    answers = {(await client.call(StorageRpcs.GET, get())).revision for _ in range(4)}
    assert answers == {again.pid, second.pid}


async def test_waiting_calls_move_to_another_replica(two, new_client) -> None:
    """A call that waits in line is not lost with the replica that it might have gone to."""
    first, second = two
    client = new_client(first.address, second.address, settings=dataclasses.replace(QUICK, max_in_flight=2))
    await client.connect()
    await both_ready(client)
    holders = [asyncio.create_task(client.call(StorageRpcs.GET, get(1.0))) for _ in range(4)]
    await asyncio.sleep(0.2)
    waiting = [asyncio.create_task(client.call(StorageRpcs.GET, get())) for _ in range(10)]
    await asyncio.sleep(0.05)
    await first.kill()
    assert {answer.revision for answer in await asyncio.gather(*waiting)} == {second.pid}
    await asyncio.gather(*holders, return_exceptions=True)


async def test_rolling_restart_loses_no_call(folder, two, start_stage, new_client) -> None:
    """Replicas that are stopped and started one after the other go unnoticed by callers."""
    client = new_client(two[0].address, two[1].address)
    await client.connect()
    await both_ready(client)
    done = asyncio.Event()
    answered = 0

    async def caller() -> None:
        nonlocal answered
        while not done.is_set():
            await client.call(StorageRpcs.GET, get(0.002))
            answered += 1

    callers = [asyncio.create_task(caller()) for _ in range(20)]
    for stage in two:
        await asyncio.sleep(0.2)
        await stage.stop()
        await start_stage(listen=stage.address)
        await both_ready(client)
    done.set()
    await asyncio.gather(*callers)
    assert answered > 200


async def test_replica_that_does_not_serve_is_left_out(folder, start_stage, new_client) -> None:
    """A replica whose health is NOT_SERVING gets no calls; without another one they fail and say so."""
    idle = await start_stage("--serving", "false", listen=f"unix:{folder}/idle.sock")
    busy = await start_stage(listen=f"unix:{folder}/busy.sock")
    client = new_client(idle.address, busy.address)
    await client.wait_ready(10)
    assert {(await client.call(StorageRpcs.GET, get())).revision for _ in range(6)} == {busy.pid}
    alone = new_client(idle.address)
    with pytest.raises(HopError, match="not ready to serve"):
        await alone.call(StorageRpcs.GET, get())
    assert not alone.ready
    assert not await alone.health()


async def test_first_calls_wait_for_the_connection(start_stage, new_client) -> None:
    """Calls made before the first connection stands wait for it instead of failing."""
    stage = await start_stage()
    client = new_client(stage.address)
    answers = await asyncio.gather(*(client.call(StorageRpcs.GET, get()) for _ in range(10)))
    assert {answer.revision for answer in answers} == {stage.pid}


async def test_unreachable_stage_fails_fast(folder, new_client) -> None:
    """With all replicas away, calls and streams fail at once and name each replica's trouble."""
    client = new_client(f"unix:{folder}/a.sock", f"unix:{folder}/b.sock")
    began = time.monotonic()
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.REVISION, RevisionRequest())
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert "a.sock" in caught.value.message
    assert "b.sock" in caught.value.message
    with pytest.raises(HopError):
        await anext(client.stream(StorageRpcs.LIST, ListRequest()))
    assert time.monotonic() - began < 5


async def test_tcp_address_that_swallows_everything(new_client, folder) -> None:
    """A listener that accepts and never speaks does not hold calls beyond the time for connecting."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            writer.close()

    path = folder / "silent.sock"
    server = await asyncio.start_unix_server(silent, str(path))
    async with server:
        client = new_client(f"unix:{path}", settings=dataclasses.replace(QUICK, connect_timeout=0.5))
        began = time.monotonic()
        with pytest.raises(HopError) as caught:
            await client.call(StorageRpcs.GET, get())
        assert caught.value.code is grpc.StatusCode.UNAVAILABLE
        assert time.monotonic() - began < 3
        await client.close()
