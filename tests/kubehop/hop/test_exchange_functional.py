"""Calls over the exchange lane to a stage in a second process: failures, deadlines, cancellation, load."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from pathlib import Path

import grpc
import pytest

from kubehop.hop import metrics
from kubehop.hop.calls import CallContext
from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import (
    CreateRequest,
    DeleteRequest,
    GetRequest,
    GetResponse,
    Key,
    RevisionRequest,
    StorageRpcs,
    UpdateRequest,
)
from tests.kubehop.hop.conftest import QUICK, StartClient, StartStage

UNARY_ONLY = dataclasses.replace(QUICK, exchange=False)
WAYS = pytest.mark.parametrize("settings", [QUICK, UNARY_ONLY], ids=["lane", "unary"])


def get(name: str = "a", seconds: float = 0.0) -> GetRequest:
    return GetRequest(key=Key(name=name), resource_version=str(seconds) if seconds else "")


async def test_describe_negotiates_the_lane(start_stage: StartStage, new_client: StartClient) -> None:
    """A stage of this package describes itself and is called over the lane."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.wait_ready(10)
    described = await client.describe()
    assert described is not None
    assert (described.name, described.contract, described.version) == ("storage", "kubehop.storage.v1", "7")
    assert set(described.capabilities) == {"tests", "exchange", "exchange-socket"}
    assert described.configuration_digest == "abc"
    assert described.instance
    lanes = metrics.lane_stats("client", "storage")
    before = lanes.envelopes_out
    await client.call(StorageRpcs.GET, get())
    assert lanes.envelopes_out == before + 1
    assert await client.health()


@WAYS
async def test_context_travels(start_stage, new_client, settings) -> None:
    """Audit id, trace context, deadline and peer reach the servicer either way."""
    stage = await start_stage()
    client = new_client(stage.address, settings=settings)
    await client.wait_ready(10)
    deadline = time.time() + 20
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await client.call(StorageRpcs.GET, get(), CallContext("audit-1", trace, deadline))
    audit_id, traceparent, seen, peer = answer.object.decode().split("|")
    assert (audit_id, traceparent, peer) == ("audit-1", trace, "unix")
    assert float(seen) == pytest.approx(deadline, abs=1.0)


@WAYS
async def test_error_carries_reason_and_metadata(start_stage, new_client, settings) -> None:
    """What the servicer raises is what the caller catches, with the stage's name."""
    stage = await start_stage()
    client = new_client(stage.address, settings=settings)
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.CREATE, CreateRequest(key=Key(name="there")))
    error = caught.value
    assert error.code is grpc.StatusCode.ALREADY_EXISTS
    assert error.message == "there already: größe"
    assert error.reason == "ERROR_REASON_ALREADY_EXISTS"
    assert error.metadata == {"key": "/registry/pods/a/there"}
    assert error.stage == "storage"


@WAYS
async def test_unexpected_failure_is_bland(start_stage, new_client, settings) -> None:
    """An exception leaves as INTERNAL without its text and is logged whole in the stage."""
    stage = await start_stage()
    client = new_client(stage.address, settings=settings)
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.UPDATE, UpdateRequest())
    assert caught.value.code is grpc.StatusCode.INTERNAL
    assert "secret" not in caught.value.message
    assert "KeyError: 'a secret in the text of an exception'" in stage.log.read_text()


async def test_kill_fails_calls_in_flight_at_once(start_stage, new_client) -> None:
    """kill -9 fails what is in flight with UNAVAILABLE naming the stage, long before its deadline."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.wait_ready(10)
    calls = [asyncio.create_task(client.call(StorageRpcs.GET, get(seconds=30))) for _ in range(50)]
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await stage.kill()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert time.monotonic() - began < 2
    for result in results:
        assert isinstance(result, HopError)
        assert result.code is grpc.StatusCode.UNAVAILABLE
        assert result.stage == "storage"
    assert not client.ready


async def test_reconnects_after_restart(start_stage, new_client) -> None:
    """A stage that is started again at the same address is used again; until then calls fail at once."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.wait_ready(10)
    first = await client.call(StorageRpcs.GET, get())
    await stage.kill()
    began = time.monotonic()
    with pytest.raises(HopError) as caught:
        await asyncio.gather(*(client.call(StorageRpcs.GET, get()) for _ in range(100)))
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    assert time.monotonic() - began < 5
    await start_stage()
    await client.wait_ready(10)
    second = await client.call(StorageRpcs.GET, get())
    assert first.revision != second.revision


async def test_client_may_come_before_the_stage(folder, start_stage, new_client) -> None:
    """connect() does not fail while the stage is away; calls fail at once, and work once it is there."""
    client = new_client(f"unix:{folder}/stage.sock")
    await client.connect()
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, get())
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    with pytest.raises(HopError, match="not ready after"):
        await client.wait_ready(0.05)
    assert not await client.health()
    await start_stage()
    await client.wait_ready(10)
    await client.call(StorageRpcs.GET, get())


@WAYS
async def test_deadline_is_enforced_on_both_sides(start_stage, new_client, settings) -> None:
    """The caller gets DEADLINE_EXCEEDED in time, and the stage's handler is cancelled."""
    stage = await start_stage()
    client = new_client(stage.address, settings=settings)
    await client.wait_ready(10)
    began = time.monotonic()
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, get(seconds=30), CallContext(deadline=time.time() + 0.2))
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert 0.15 < time.monotonic() - began < 2
    await cancelled_on_stage(client, 1)


async def test_deadline_that_has_passed(start_stage, new_client) -> None:
    """A call whose deadline has passed does not leave."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.wait_ready(10)
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, get(), CallContext(deadline=time.time() - 1))
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_default_timeout(start_stage, new_client) -> None:
    """A context without a deadline gets the client's."""
    stage = await start_stage()
    client = new_client(stage.address, settings=dataclasses.replace(QUICK, call_timeout=0.2))
    await client.wait_ready(10)
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, get(seconds=30))
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED


@WAYS
async def test_cancellation_reaches_the_handler(start_stage, new_client, settings) -> None:
    """Cancelling the calling task cancels the servicer's coroutine; other calls go on."""
    stage = await start_stage()
    client = new_client(stage.address, settings=settings)
    await client.wait_ready(10)
    other = asyncio.create_task(client.call(StorageRpcs.GET, get(seconds=0.6)))
    call = asyncio.create_task(client.call(StorageRpcs.GET, get(seconds=30)))
    await asyncio.sleep(0.2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await cancelled_on_stage(client, 1)
    assert (await other).revision == stage.pid


async def cancelled_on_stage(client, count: int) -> None:
    for _ in range(100):
        seen = (await client.call(StorageRpcs.REVISION, RevisionRequest())).cached_revision
        if seen == count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"the stage saw {seen} cancellations, not {count}")


async def test_ten_thousand_concurrent_calls(start_stage, new_client) -> None:
    """All are answered, each with its own answer, in frames that carry many."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.wait_ready(10)
    lanes = metrics.lane_stats("client", "storage")
    frames, envelopes = lanes.frames_out, lanes.envelopes_out

    async def one(number: int) -> bool:
        answer: GetResponse = await client.call(StorageRpcs.GET, get(f"name-{number}"))
        return answer.store_key == f"name-{number}"

    assert all(await asyncio.gather(*(one(number) for number in range(10_000))))
    assert lanes.envelopes_out - envelopes == 10_000
    assert lanes.frames_out - frames < 2_000


@WAYS
async def test_calls_in_flight_are_bounded(start_stage, new_client, settings) -> None:
    """No more than the bound reach the stage at a time; the rest wait in order and are all answered."""
    stage = await start_stage()
    client = new_client(stage.address, settings=dataclasses.replace(settings, max_in_flight=8))
    await client.wait_ready(10)
    order: list[int] = []

    async def one(number: int) -> None:
        await client.call(StorageRpcs.GET, get(seconds=0.02))
        order.append(number)

    await asyncio.gather(*(one(number) for number in range(64)))
    assert (await client.call(StorageRpcs.REVISION, RevisionRequest())).revision == 8
    assert {number // 8 for number in order[:8]} == {0}
    assert {number // 8 for number in order[-8:]} == {7}


async def test_waiting_honours_deadlines_and_cancellation(start_stage, new_client) -> None:
    """A call that waits in line fails at its deadline or leaves when cancelled, without ever being sent."""
    stage = await start_stage()
    client = new_client(stage.address, settings=dataclasses.replace(QUICK, max_in_flight=1))
    await client.wait_ready(10)
    holder = asyncio.create_task(client.call(StorageRpcs.GET, get(seconds=1.0)))
    await asyncio.sleep(0.05)
    leaver = asyncio.create_task(client.call(StorageRpcs.GET, get("leaver")))
    began = time.monotonic()
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, get("late"), CallContext(deadline=time.time() + 0.2))
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 0.8
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    assert (await holder).revision == stage.pid
    assert (await client.call(StorageRpcs.REVISION, RevisionRequest())).revision == 1
    assert "late" not in stage.log.read_text()


@WAYS
async def test_stage_bounds_what_runs(start_stage, new_client, settings) -> None:
    """A stage runs no more than its own bound at a time, whatever its callers send, and still answers all."""
    stage = await start_stage("--max-in-flight", "4")
    client = new_client(stage.address, settings=settings)
    await client.wait_ready(10)
    answers = await asyncio.gather(*(client.call(StorageRpcs.GET, get(str(n), 0.01)) for n in range(100)))
    assert [answer.store_key for answer in answers] == [str(n) for n in range(100)]
    assert (await client.call(StorageRpcs.REVISION, RevisionRequest())).revision == 4


async def test_stage_line_honours_deadlines_and_cancellation(start_stage, new_client) -> None:
    """Calls that wait in the stage's own line are cancelled and expire there too."""
    stage = await start_stage("--max-in-flight", "1")
    client = new_client(stage.address)
    await client.wait_ready(10)
    holder = asyncio.create_task(client.call(StorageRpcs.GET, get(seconds=0.5)))
    await asyncio.sleep(0.1)
    leaver = asyncio.create_task(client.call(StorageRpcs.GET, get("leaver", 30)))
    late = asyncio.create_task(client.call(StorageRpcs.GET, get("late", 30), CallContext(deadline=time.time() + 0.2)))
    await asyncio.sleep(0.1)
    leaver.cancel()
    with pytest.raises(HopError) as caught:
        await late
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    await holder
    assert (await client.call(StorageRpcs.REVISION, RevisionRequest())).cached_revision == 0


async def test_large_payload_takes_the_typed_call(start_stage, new_client) -> None:
    """A request above 256 KiB goes round the lane and comes back whole; a large answer comes over the lane."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.wait_ready(10)
    lanes = metrics.lane_stats("client", "storage")
    before = lanes.envelopes_out
    payload = bytes(range(256)) * 12_000
    answer = await client.call(StorageRpcs.CREATE, CreateRequest(object=payload))
    assert answer.object == payload
    assert lanes.envelopes_out == before
    small = await client.call(StorageRpcs.CREATE, CreateRequest(object=payload[:1000]))
    assert small.object == payload[:1000]
    assert lanes.envelopes_out == before + 1
    large = await client.call(StorageRpcs.DELETE, DeleteRequest(expected_revision=5_000_000))
    assert len(large.object) == 5_000_000


async def test_answer_beyond_the_limit_fails_that_call_alone(start_stage, new_client) -> None:
    """An answer that is too large to send fails its call and leaves the lane open."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.wait_ready(10)
    other = asyncio.create_task(client.call(StorageRpcs.GET, get(seconds=1.0)))
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.DELETE, DeleteRequest(expected_revision=70_000_000))
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await other).revision == stage.pid


async def test_frames_are_bounded(start_stage, new_client) -> None:
    """Many payloads that are pending together leave as several frames, none much above the bound."""
    stage = await start_stage()
    client = new_client(stage.address, settings=dataclasses.replace(QUICK, frame_bytes=64 * 1024))
    await client.wait_ready(10)
    lanes = metrics.lane_stats("client", "storage")
    frames = lanes.frames_out
    payload = b"x" * 60_000
    answers = await asyncio.gather(*(client.call(StorageRpcs.CREATE, CreateRequest(object=payload)) for _ in range(40)))
    assert all(len(answer.object) == 60_000 for answer in answers)
    assert lanes.frames_out - frames >= 40


async def test_stop_lets_calls_finish(start_stage, new_client) -> None:
    """A stage that is asked to stop answers what is in flight, over the lane and over the typed contract."""
    stage = await start_stage()
    client = new_client(stage.address)
    typed = new_client(stage.address, settings=UNARY_ONLY)
    await client.wait_ready(10)
    await typed.wait_ready(10)
    calls = [asyncio.create_task(each.call(StorageRpcs.GET, get(seconds=0.8))) for each in (client, typed) * 10]
    await asyncio.sleep(0.3)
    assert await stage.stop() == 0
    assert {(await call).revision for call in calls} == {stage.pid}


async def test_stop_under_load_fails_no_call_that_was_sent(start_stage, new_client) -> None:
    """Callers that keep calling while the stage stops see answers, then refusals that were never executed."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.wait_ready(10)
    refused: list[HopError] = []
    answered = 0

    async def caller() -> None:
        nonlocal answered
        while not refused:
            try:
                await client.call(StorageRpcs.GET, get(seconds=0.001))
                answered += 1
            except HopError as error:
                refused.append(error)

    callers = [asyncio.create_task(caller()) for _ in range(50)]
    await asyncio.sleep(0.3)
    await stage.stop()
    await asyncio.gather(*callers)
    assert answered > 100
    assert all("in flight" not in error.message for error in refused), refused


async def test_handlers_end_with_the_lane(start_stage, new_client) -> None:
    """When the caller's process goes away, what it had in flight is cancelled in the stage."""
    stage = await start_stage()
    client = new_client(stage.address)
    watcher = new_client(stage.address)
    await client.wait_ready(10)
    calls = [asyncio.create_task(client.call(StorageRpcs.GET, get(seconds=30))) for _ in range(5)]
    await asyncio.sleep(0.2)
    await client.close()
    for call in calls:
        with pytest.raises(HopError, match="closed"):
            await call
    await cancelled_on_stage(watcher, 5)


async def test_closed_client_refuses(start_stage, new_client) -> None:
    """A closed client fails calls with UNAVAILABLE instead of connecting again."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.call(StorageRpcs.GET, get())
    await client.close()
    with pytest.raises(HopError, match="closed"):
        await client.call(StorageRpcs.GET, get())


async def test_hop_line_tells_the_story(start_stage, new_client) -> None:
    """Each call leaves one line with audit id, method, verdict and the servicer's fields."""
    stage = await start_stage()
    client = new_client(stage.address)
    await client.call(StorageRpcs.GET, get(), CallContext("0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"))
    await stage.stop()
    line = next(line for line in stage.log.read_text().splitlines() if "0f1e2d3c" in line)
    assert line.split()[1:5] == ["storage", "0f1e2d3c", "Get", "found"]
    assert line.endswith("user=jane")


async def test_without_its_own_socket_the_lane_goes_over_grpc(
    start_stage: StartStage, new_client: StartClient, folder: Path
) -> None:
    """A forwarder of the stage's socket alone does not cut the stage off, and the lane is used all the same."""
    stage = await start_stage()
    alias = folder / "alias.sock"
    alias.symlink_to(stage.address.removeprefix("unix:"))
    client = new_client(f"unix:{alias}")
    await client.wait_ready(10)
    lanes = metrics.lane_stats("client", "storage")
    before = lanes.envelopes_out
    await client.call(StorageRpcs.GET, get("a"))
    assert lanes.envelopes_out == before + 1
