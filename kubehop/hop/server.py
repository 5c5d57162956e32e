"""The listening side of a stage: typed contract, exchange lane, Describe, health and reflection on one address.

`__main__` of each stage builds a `StageServer` around its servicer. The server needs mutual TLS unless it listens on a
unix socket. It serves health as not serving until `set_serving(True)`.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter, time
from typing import Any, Final, TypeAlias

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from kubehop.hop import addresses, logs, metrics, process
from kubehop.hop.calls import AUDIT_ID_KEY, TRACEPARENT_KEY, Call, CallContext
from kubehop.hop.dispatch import OK, Handler, bind
from kubehop.hop.errors import HopError
from kubehop.hop.exchange import Exchange
from kubehop.hop.sockets import SOCKET_CAPABILITY, FrameSocket, lane_path
from kubehop.hop.tls import TLSFiles
from kubehop.pb.hop.v1 import DescribeResponse, StageRpcs
from kubehop.pb.methods import Service

EXCHANGE_CAPABILITY: Final = "exchange"
EXCHANGE_SERVICE: Final = "kubehop.hop.v1.Exchange"
EXCHANGE_PATH: Final = f"/{EXCHANGE_SERVICE}/Exchange"

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
Handlers: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a stage says of itself in Describe."""

    name: str
    """Name in the contract's words, for example "authorization"."""
    contract: str
    """Versioned package that it implements, for example "kubehop.authorization.v1"."""
    version: str = ""
    """Version of the implementation."""
    capabilities: Sequence[str] = ()
    """What callers may rely on besides the contract; the server adds "exchange" by itself."""
    configuration_digest: str = ""
    """Changes whenever the effective configuration does (hex SHA-256)."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Bounds of a stage's server."""

    max_in_flight: int = 1024
    """Calls that run at a time per exchange lane, and over the unary door together; beyond it calls wait in line."""
    frame_bytes: int = 1024 * 1024
    """Size at which a frame of answers is closed and the next one begun."""
    message_bytes: int = 64 * 1024 * 1024
    """Largest message accepted or sent."""
    stream_grace: float = 1.0
    """Seconds that streams get to end by themselves when the server stops; then they fail with UNAVAILABLE."""
    exchange: bool = True
    """Offer the exchange lane; without it callers use the typed unary contract."""


@dataclass(slots=True)
class _Door:
    """State shared by the handlers of one server."""

    stage: Stage
    unary: dict[str, Handler]
    slots: asyncio.Semaphore
    lanes: set[Exchange] = field(default_factory=set)
    streams: set[asyncio.Task[Any]] = field(default_factory=set)
    """Tasks of open streams of the contract."""
    ended: set[asyncio.Task[Any]] = field(default_factory=set)
    """Tasks of streams that the server itself has ended."""
    draining: bool = False

    def end_streams(self) -> None:
        """Cancel what has not ended by itself; `ended` keeps it apart from a caller's cancellation."""
        for task in self.streams:
            self.ended.add(task)
            task.cancel()


class _Health(health.aio.HealthServicer):
    """The standard servicer, whose watches end in good order when the server stops."""

    def __init__(self, door: _Door) -> None:
        super().__init__()
        self._door = door
        self._watches: set[asyncio.Task[Any]] = set()

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Context) -> None:  # noqa: N802 - generated
        task = asyncio.current_task()
        assert task is not None
        self._watches.add(task)
        try:
            await super().Watch(request, context)
        except asyncio.CancelledError:
            if not self._door.draining:
                raise
        finally:
            self._watches.discard(task)

    async def stop(self) -> None:
        """Answer that the stage does not serve, and end the watches after they have heard it."""
        await self.enter_graceful_shutdown()
        await asyncio.sleep(0)
        for task in self._watches:
            task.cancel()


class StageServer:
    """Serves one contract on one address."""

    def __init__(
        self,
        stage: Stage,
        service: Service,
        servicer: object,
        *,
        listen: str,
        tls: TLSFiles | None = None,
        settings: ServerSettings | None = None,
    ) -> None:
        """Raises TypeError where the servicer lacks an RPC, AddressError where `listen` cannot be used."""
        self._stage = stage
        self._service = service
        self._settings = settings or ServerSettings()
        self._listen = addresses.check(listen)
        self._socket = addresses.socket_path(self._listen)
        if self._socket is None and tls is None:
            raise addresses.AddressError(
                f"{listen!r}: a stage listens on TCP only with TLS and client certificates; "
                "give certificate, key and CA files or listen on unix:/path"
            )
        self._tls = tls
        self._bound = bind(stage.name, service, servicer)
        self._instance = uuid.uuid4().hex
        self._server: grpc.aio.Server | None = None
        self._health: _Health | None = None
        self._door: _Door | None = None
        self._inode: int | None = None
        self._lane_socket: asyncio.Server | None = None
        self._lane_tasks: set[asyncio.Task[None]] = set()
        self.address = self._listen
        """Where it listens; after `start` with the port that the system chose for port 0."""

    async def start(self) -> None:
        """Listen. Raises AddressError where the address is taken or a socket file cannot be made."""
        limits = self._settings
        server = grpc.aio.server(
            options=(
                ("grpc.so_reuseport", 0),  # a second process on our port must fail, not share it
                ("grpc.max_receive_message_length", limits.message_bytes),
                ("grpc.max_send_message_length", limits.message_bytes),
                ("grpc.max_metadata_size", 64 * 1024),
                ("grpc.absolute_max_metadata_size", 128 * 1024),
                # callers of this package probe silent TCP connections; let them
                ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
                ("grpc.keepalive_permit_without_calls", 1),
            )
        )
        self._door = _Door(self._stage, self._bound.unary, asyncio.Semaphore(limits.max_in_flight))
        self._register(server)
        await self._set_health(False)
        self._bind_address(server)
        await server.start()
        await self._open_lane_socket()
        self._server = server
        logs.get().info(
            "listening",
            on=self.address,
            contract=self._stage.contract,
            version=self._stage.version,
            instance=self._instance,
        )

    def set_serving(self, serving: bool) -> None:
        """Turn the answer of grpc.health.v1, of the server as a whole and of its contract."""
        if self._health is None:
            raise RuntimeError("the server has not been started")
        process.spawn(self._set_health(serving), name="hop health")

    async def _set_health(self, serving: bool) -> None:
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        assert self._health is not None
        for name in ("", self._service.name):
            await self._health.set(name, status)

    def set_configuration_digest(self, digest: str) -> None:
        """Describe the stage with another configuration from now on: a file it goes by was reloaded."""
        self._stage = replace(self._stage, configuration_digest=digest)

    async def stop(self, grace: float = 10.0) -> None:
        """Stop taking calls, finish those in flight within `grace` seconds, then end the rest."""
        server, door = self._server, self._door
        if server is None or door is None:
            return
        self._server = None
        door.draining = True
        for lane in list(door.lanes):
            lane.drain()
        if self._health is not None:
            await self._health.stop()
        ending = asyncio.get_running_loop().call_later(min(grace, self._settings.stream_grace), door.end_streams)
        if self._lane_socket is not None:
            self._lane_socket.close()
        try:
            await server.stop(grace)
            if self._lane_tasks:
                await asyncio.wait(self._lane_tasks, timeout=grace)
        finally:
            ending.cancel()
            for task in self._lane_tasks:
                task.cancel()
        self._remove_socket()
        logs.get().info("stopped listening", on=self.address)

    def _bind_address(self, server: grpc.aio.Server) -> None:
        path = self._socket
        if path is None:
            assert self._tls is not None
            try:
                port = server.add_secure_port(self._listen, self._tls.server_credentials())
            except RuntimeError as error:
                raise addresses.AddressError(f"{self._listen}: cannot listen there: {_first_line(error)}") from error
            self.address = f"{self._listen.rpartition(':')[0]}:{port}"
            return
        addresses.claim_socket(path)
        # The socket file appears with the permissions of the umask, so there is no moment in which others may connect.
        before = os.umask(0o177)
        try:
            server.add_insecure_port(self._listen)
        except RuntimeError as error:
            raise addresses.AddressError(f"{self._listen}: cannot listen there: {_first_line(error)}") from error
        finally:
            os.umask(before)
        self._inode = path.stat().st_ino

    def _remove_socket(self) -> None:
        path = self._socket
        if path is None or self._inode is None:
            return
        try:
            if path.stat().st_ino == self._inode:
                path.unlink()
                if self._lane_socket is not None:
                    lane_path(path).unlink(missing_ok=True)
        except FileNotFoundError:
            pass

    def _register(self, server: grpc.aio.Server) -> None:
        assert self._door is not None
        door = self._door
        methods: dict[str, Handlers] = {}
        for path, handler in self._bound.unary.items():
            methods[path.rpartition("/")[2]] = grpc.unary_unary_rpc_method_handler(_unary(door, handler))
        for path, handler in self._bound.stream.items():
            methods[path.rpartition("/")[2]] = grpc.unary_stream_rpc_method_handler(_stream(door, handler))
        generic = [grpc.method_handlers_generic_handler(self._service.name, methods)]
        describe: Handlers = grpc.unary_unary_rpc_method_handler(self._describe)
        generic.append(grpc.method_handlers_generic_handler(StageRpcs.SERVICE.name, {"Describe": describe}))
        names = [self._service.name, StageRpcs.SERVICE.name, health.SERVICE_NAME]
        if self._settings.exchange:
            exchange: Handlers = grpc.stream_stream_rpc_method_handler(self._exchange)
            generic.append(grpc.method_handlers_generic_handler(EXCHANGE_SERVICE, {"Exchange": exchange}))
            names.append(EXCHANGE_SERVICE)
        server.add_generic_rpc_handlers(tuple(generic))
        self._health = _Health(door)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        from grpc_reflection.v1alpha import reflection

        reflection.enable_server_reflection([*names, reflection.SERVICE_NAME], server)

    async def _describe(self, _request: bytes, _context: Context) -> bytes:
        stage = self._stage
        capabilities = [*stage.capabilities, *([EXCHANGE_CAPABILITY] if self._settings.exchange else ())]
        if self._lane_socket is not None:
            capabilities.append(SOCKET_CAPABILITY)
        return DescribeResponse(
            name=stage.name,
            version=stage.version,
            contract=stage.contract,
            capabilities=capabilities,
            configuration_digest=stage.configuration_digest,
            instance=self._instance,
        ).SerializeToString()

    async def _open_lane_socket(self) -> None:
        """On a unix socket, serve the lane on one of its own too, without gRPC around the frames."""
        if self._socket is None or not self._settings.exchange:
            return
        path = lane_path(self._socket)
        if len(os.fsencode(path)) > addresses.SOCKET_PATH_LIMIT:
            return  # the lane then goes over gRPC
        addresses.claim_socket(path)
        before = os.umask(0o177)
        try:
            self._lane_socket = await asyncio.get_running_loop().create_unix_server(
                lambda: FrameSocket(self._settings.message_bytes, self._lane_connected), str(path)
            )
        except OSError as error:
            raise addresses.AddressError(f"unix:{path}: cannot listen there: {error.strerror}") from error
        finally:
            os.umask(before)

    def _lane_connected(self, connection: FrameSocket) -> None:
        task = asyncio.create_task(self._serve_socket(connection), name="hop lane")
        connection.on_lost = task.cancel
        self._lane_tasks.add(task)
        task.add_done_callback(self._lane_tasks.discard)

    async def _serve_socket(self, connection: FrameSocket) -> None:
        door = self._door
        assert door is not None
        if door.draining:
            connection.close()
            return
        lane = self._lane(door, "unix")
        door.lanes.add(lane)
        try:
            await lane.serve(connection)
        except (HopError, OSError) as error:
            logs.get().warning("a lane was ended", error=str(error))
        finally:
            door.lanes.discard(lane)
            connection.close()

    def _lane(self, door: _Door, peer: str) -> Exchange:
        return Exchange(
            door.unary,
            peer,
            limit=self._settings.max_in_flight,
            frame_bytes=self._settings.frame_bytes,
            message_bytes=self._settings.message_bytes,
            stats=metrics.lane_stats("server", self._stage.name),
        )

    async def _exchange(self, _requests: object, context: Context) -> None:
        door = self._door
        assert door is not None
        if door.draining:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the stage is stopping")
        lane = self._lane(door, peer_name(context))
        door.lanes.add(lane)
        try:
            await lane.serve(context)
        except HopError as error:
            await context.abort(error.code, error.details, error.trailers())
        finally:
            door.lanes.discard(lane)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def peer_name(context: Context) -> str:
    """Common name of the caller's certificate, or "unix"."""
    names = context.auth_context().get("x509_common_name")
    if names:
        return next(iter(names)).decode(errors="replace")
    return "unix" if context.peer().startswith("unix:") else ""


def _call(context: Context) -> Call:
    audit_id = traceparent = ""
    for key, value in context.invocation_metadata() or ():
        if key == AUDIT_ID_KEY and isinstance(value, str):
            audit_id = value
        elif key == TRACEPARENT_KEY and isinstance(value, str):
            traceparent = value
    remaining = context.time_remaining()
    deadline = None if remaining is None else time() + remaining
    return Call(CallContext(audit_id, traceparent, deadline), peer_name(context))


def _unary(door: _Door, handler: Handler) -> Callable[[bytes, Context], Awaitable[bytes]]:
    async def serve(payload: bytes, context: Context) -> bytes:
        call = _call(context)
        started = perf_counter()
        size = len(payload)
        try:
            async with door.slots:
                result = handler.function(handler.decode(payload), call)
                response = await result if inspect.isawaitable(result) else result
            answer: bytes = response.SerializeToString()
        except asyncio.CancelledError:
            handler.finish(call, grpc.StatusCode.CANCELLED.name, started, size, 0)
            raise
        except Exception as error:
            failure = handler.failure(call, error)
        else:
            handler.finish(call, OK, started, size, len(answer))
            return answer
        handler.finish(call, failure.code.name, started, size, 0)
        await context.abort(failure.code, failure.details, failure.trailers())
        raise AssertionError("abort raises")

    return serve


def _stream(door: _Door, handler: Handler) -> Callable[[bytes, Context], AsyncIterator[bytes]]:
    async def serve(payload: bytes, context: Context) -> AsyncIterator[bytes]:
        call = _call(context)
        started = perf_counter()
        sent = 0
        responses: Any = None
        failure: HopError | None = None
        code = grpc.StatusCode.CANCELLED.name
        task = asyncio.current_task()
        assert task is not None
        door.streams.add(task)
        try:
            responses = handler.function(handler.decode(payload), call)
            async for response in responses:
                answer = response.SerializeToString()
                sent += len(answer)
                yield answer
            code = OK
        except GeneratorExit:
            raise
        except asyncio.CancelledError:
            if task not in door.ended:
                raise
            task.uncancel()
            failure = HopError(grpc.StatusCode.UNAVAILABLE, "the stage is stopping")
            code = failure.code.name
        except Exception as error:
            failure = handler.failure(call, error)
            code = failure.code.name
        finally:
            door.streams.discard(task)
            door.ended.discard(task)
            # a generator left half-way must run its clean-up now, not when it is collected
            if responses is not None and hasattr(responses, "aclose"):
                await responses.aclose()
            handler.finish(call, code, started, len(payload), sent)
        if failure is not None:
            await context.abort(failure.code, failure.details, failure.trailers())

    return serve
