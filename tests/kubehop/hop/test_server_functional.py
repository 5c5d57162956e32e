"""What a stage's server offers besides calls: health, reflection, socket file; the lane as others would speak it."""

from __future__ import annotations

import asyncio
import socket
import stat
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from kubehop.hop.addresses import AddressError
from kubehop.hop.server import ServerSettings, Stage, StageServer
from kubehop.pb.hop.v1 import Context, DescribeRequest, DescribeResponse, Envelope, Frame
from kubehop.pb.storage.v1 import GetRequest, GetResponse, Key, StorageRpcs
from tests.kubehop.hop.stage_process import Provocations

GET = StorageRpcs.GET.path


def server_on(path: Path) -> StageServer:
    return StageServer(
        Stage("storage", "kubehop.storage.v1"), StorageRpcs.SERVICE, Provocations(), listen=f"unix:{path}"
    )


@pytest.fixture
async def server(folder):
    server = server_on(folder / "s.sock")
    await server.start()
    server.set_serving(True)
    yield server
    await server.stop(1.0)


@pytest.fixture
async def channel(server):
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


async def test_health_follows_set_serving(folder, new_client) -> None:
    """Health says NOT_SERVING until the stage serves, for the server as a whole and for its contract."""
    server = server_on(folder / "s.sock")
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", "kubehop.storage.v1.Storage"):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        server.set_serving(True)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        client = new_client(server.address)
        await client.wait_ready(5)
        server.set_serving(False)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        for _ in range(200):
            if not client.ready:
                break
            await asyncio.sleep(0.01)
        assert not client.ready
        await server.stop(1.0)
        assert await watch.read() is grpc.aio.EOF
        assert await watch.code() is grpc.StatusCode.OK


async def test_reflection_lists_services(channel) -> None:
    """Reflection names every service, so that grpcurl and the like can be pointed at a stage."""
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    answer = await call.read()
    names = {service.name for service in answer.list_services_response.service}
    assert names == {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "kubehop.hop.v1.Exchange",
        "kubehop.hop.v1.Stage",
        "kubehop.storage.v1.Storage",
    }
    await call.write(reflection_pb2.ServerReflectionRequest(file_containing_symbol="kubehop.storage.v1.Storage"))
    assert (await call.read()).file_descriptor_response.file_descriptor_proto
    call.cancel()


async def test_describe_changes_instance_at_each_start(folder) -> None:
    """Replicas and restarts can be told apart."""
    instances = []
    for _ in range(2):
        server = server_on(folder / "s.sock")
        await server.start()
        async with grpc.aio.insecure_channel(server.address) as channel:
            answer = await channel.unary_unary("/kubehop.hop.v1.Stage/Describe")(DescribeRequest().SerializeToString())
        instances.append(DescribeResponse.FromString(answer).instance)
        await server.stop(0.1)
    assert instances[0] != instances[1]


async def test_socket_file_is_private_and_removed(folder) -> None:
    """Only the owner may connect to the socket file, and it goes with the server."""
    path = folder / "s.sock"
    server = server_on(path)
    await server.start()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await server.stop(0.1)
    assert not path.exists()


async def test_stale_socket_file_is_replaced(folder, new_client) -> None:
    """A socket file left behind by a killed process does not keep the next one from starting."""
    path = folder / "s.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = server_on(path)
    await server.start()
    server.set_serving(True)
    await new_client(server.address).wait_ready(5)
    await server.stop(0.1)


async def test_socket_in_use_is_left_alone(server, folder, new_client) -> None:
    """A second server at the same path fails with a clear line and the first one serves on."""
    with pytest.raises(AddressError, match="another process listens there"):
        await server_on(folder / "s.sock").start()
    await new_client(server.address).wait_ready(5)


async def test_something_else_in_the_way(folder) -> None:
    """A file that is not a socket is not removed; a missing directory is named."""
    path = folder / "s.sock"
    path.write_text("precious")
    with pytest.raises(AddressError, match="not a socket"):
        await server_on(path).start()
    assert path.read_text() == "precious"
    with pytest.raises(AddressError, match="does not exist"):
        await server_on(folder / "nowhere" / "s.sock").start()


async def exchange(channel, *frames: Frame | bytes):
    call = channel.stream_stream("/kubehop.hop.v1.Exchange/Exchange")()
    for frame in frames:
        await call.write(frame if isinstance(frame, bytes) else frame.SerializeToString())
    return call


def envelope(number: int, seconds: str = "", **fields) -> Envelope:
    request = GetRequest(key=Key(name=f"n{number}"), resource_version=seconds)
    return Envelope(id=number, method=GET, payload=request.SerializeToString(), **fields)


async def answers(call, count: int) -> dict[int, Envelope]:
    found: dict[int, Envelope] = {}
    while len(found) < count:
        data = await asyncio.wait_for(call.read(), 5)
        assert data is not grpc.aio.EOF
        found.update({answer.id: answer for answer in Frame.FromString(data).envelopes})
    return found


async def test_lane_as_others_speak_it(channel) -> None:
    """Frames written by hand are answered, each id once, in the order in which calls finish."""
    context = Context(audit_id="by-hand", deadline_unix_ms=0)
    call = await exchange(channel, Frame(envelopes=[envelope(1, "0.3", context=context), envelope(2, context=context)]))
    first = await answers(call, 1)
    assert list(first) == [2]
    second = await answers(call, 1)
    assert list(second) == [1]
    assert GetResponse.FromString(second[1].payload).store_key == "n1"
    assert GetResponse.FromString(second[1].payload).object.startswith(b"by-hand|")
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_call_and_cancellation_in_one_frame(folder) -> None:
    """A call that is cancelled before it began gives its place back."""
    server = StageServer(
        Stage("storage", "kubehop.storage.v1"),
        StorageRpcs.SERVICE,
        Provocations(),
        listen=f"unix:{folder}/s.sock",
        settings=ServerSettings(max_in_flight=1),
    )
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        frames = [Frame(envelopes=[envelope(n, "30"), Envelope(id=n, cancel=True)]) for n in range(1, 4)]
        call = await exchange(channel, *frames, Frame(envelopes=[envelope(9)]))
        found: dict[int, Envelope] = {}
        while 9 not in found:
            found.update(await answers(call, 1))
        assert not found[9].HasField("status")
        call.cancel()
    await server.stop(1.0)


async def test_half_closed_lane_is_answered(channel) -> None:
    """Calls that were sent before the caller half-closed are answered before the lane ends."""
    call = await exchange(channel, Frame(envelopes=[envelope(n, "0.2") for n in range(1, 6)]))
    await call.done_writing()
    assert set(await answers(call, 5)) == {1, 2, 3, 4, 5}
    assert await call.read() is grpc.aio.EOF


async def test_unknown_method_and_undecodable_payload(channel) -> None:
    """They fail that call alone."""
    bad = Envelope(id=1, method="/kubehop.storage.v1.Storage/Nothing")
    broken = Envelope(id=2, method=GET, payload=b"\xff\xff\xff")
    call = await exchange(channel, Frame(envelopes=[bad, broken, envelope(3)]))
    found = await answers(call, 3)
    assert found[1].status.code == grpc.StatusCode.UNIMPLEMENTED.value[0]
    assert found[2].status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert not found[3].HasField("status")
    call.cancel()


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff\xff\xff",
        Frame(envelopes=[envelope(1, "5"), envelope(1)]),
        Frame(envelopes=[envelope(0)]),
    ],
    ids=["junk", "id twice", "id 0"],
)
async def test_caller_that_breaks_the_rules_loses_the_lane(channel, frame) -> None:
    """What cannot be answered unambiguously ends the lane with INVALID_ARGUMENT."""
    call = await exchange(channel, frame)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asyncio.wait_for(call.read(), 5)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_caller_that_ignores_the_farewell(server, channel) -> None:
    """A caller that does not half-close is answered and then does not hold up the stop."""
    call = await exchange(channel, Frame(envelopes=[envelope(1, "0.3")]))
    await asyncio.sleep(0.1)
    stopping = asyncio.create_task(server.stop(10.0))
    found = await answers(call, 2)
    assert found[0].cancel
    assert not found[1].HasField("status")
    await asyncio.wait_for(stopping, 3)


async def test_grace_ends(folder, new_client) -> None:
    """What does not finish within the grace fails with UNAVAILABLE and the server stops."""
    server = server_on(folder / "s.sock")
    await server.start()
    server.set_serving(True)
    client = new_client(server.address)
    call = asyncio.create_task(client.call(StorageRpcs.GET, GetRequest(resource_version="30")))
    await asyncio.sleep(0.3)
    await asyncio.wait_for(server.stop(0.2), 5)
    with pytest.raises(Exception, match="in flight"):
        await call


def test_incomplete_servicer_is_refused() -> None:
    """A servicer that lacks RPCs is told which, before anything listens."""

    class Half:
        async def get(self, request, call):
            return GetResponse()

        async def list(self, request, call):
            return None

    with pytest.raises(TypeError) as caught:
        StageServer(Stage("storage", "kubehop.storage.v1"), StorageRpcs.SERVICE, Half(), listen="unix:/tmp/x.sock")
    text = str(caught.value)
    assert "create is missing" in text
    assert "watch is missing" in text
    assert "list must be an async generator" in text
    assert "get" not in text.split("kubehop.storage.v1.Storage")[1]
