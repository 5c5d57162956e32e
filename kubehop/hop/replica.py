"""One target of a stage: connected, negotiated, watched, re-connected.

`kubehop.hop.client` holds one `Replica` per target and asks it for room. A connection has two channels: the typed
contract with its streams on one, the exchange lane on the other, so that a long list never holds up the lane. The
stage's health is followed by grpc.health.v1 Watch, which also tells at once that a stage without a lane has gone away.
"""

from __future__ import annotations

import asyncio
import enum
import random
import time
from collections.abc import Callable
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health_pb2

from kubehop.hop import addresses, logs
from kubehop.hop.errors import HopError, unavailable
from kubehop.hop.lane import Lane, PendingCall, Stream
from kubehop.hop.metrics import LaneStats
from kubehop.hop.sockets import SOCKET_CAPABILITY, FrameSocket, connect, lane_path
from kubehop.hop.tls import TLSFiles
from kubehop.pb.hop.v1 import DescribeRequest, DescribeResponse, StageRpcs

HEALTH_CHECK = "/grpc.health.v1.Health/Check"
HEALTH_WATCH = "/grpc.health.v1.Health/Watch"
EXCHANGE_PATH = "/kubehop.hop.v1.Exchange/Exchange"
EXCHANGE_CAPABILITY = "exchange"
_SETTLED_SECONDS = 5.0  # a connection that lasted this long starts the back-off anew
_POLL_SECONDS = 0.5
_BROKEN = grpc.ChannelConnectivity.TRANSIENT_FAILURE


Unary = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
Streaming = grpc.aio.UnaryStreamMultiCallable[bytes, bytes]


class ConnectionSettings(Protocol):
    """What a replica needs of the client's settings; see `kubehop.hop.client.ClientSettings`."""

    @property
    def connect_timeout(self) -> float: ...  # noqa: D102
    @property
    def backoff_initial(self) -> float: ...  # noqa: D102
    @property
    def backoff_max(self) -> float: ...  # noqa: D102
    @property
    def max_in_flight(self) -> int: ...  # noqa: D102
    @property
    def frame_bytes(self) -> int: ...  # noqa: D102
    @property
    def message_bytes(self) -> int: ...  # noqa: D102
    @property
    def server_name(self) -> str: ...  # noqa: D102
    @property
    def keepalive(self) -> float: ...  # noqa: D102
    @property
    def exchange(self) -> bool: ...  # noqa: D102


def _jitter() -> float:
    """Keeps the clients of a stage from knocking all at once when it comes back."""
    return random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class State(enum.Enum):
    """Whether a replica takes calls."""

    CONNECTING = "connecting"
    """An attempt is under way whose outcome callers wait for: the first one, and the first after a loss."""
    READY = "ready"
    NOT_SERVING = "not serving"
    """Connected, but its health says that it does not serve."""
    FAILED = "failed"
    """Out of reach; attempts go on in the background and callers fail at once."""
    CLOSED = "closed"


class Connection:
    """The channels of one connection, alive while it is current or calls still use it."""

    def __init__(self, target: str, credentials: grpc.ChannelCredentials | None, settings: ConnectionSettings) -> None:
        self._target = target
        self._credentials = credentials
        self._settings = settings
        self.typed = self._channel()
        self._lane: grpc.aio.Channel | None = None
        self._unary: dict[str, Unary] = {}
        self._streaming: dict[str, Streaming] = {}
        self.calls = 0
        """Unary calls on the typed channel now; they count among the calls in flight."""
        self.streams = 0
        """Streams on the typed channel now; they live long and count apart."""
        self._when_idle: Callable[[Connection], None] | None = None
        self._closing: asyncio.Task[None] | None = None

    def unary(self, path: str) -> Unary:
        """The unary method of `path`, taking and giving bytes."""
        method = self._unary.get(path)
        if method is None:
            method = self._unary[path] = self.typed.unary_unary(path)
        return method

    def stream(self, path: str) -> Streaming:
        """The streaming method of `path`, taking and giving bytes."""
        method = self._streaming.get(path)
        if method is None:
            method = self._streaming[path] = self.typed.unary_stream(path)
        return method

    def open_lane(self) -> grpc.aio.StreamStreamCall[Any, Any]:
        """Open the exchange stream on a channel of its own."""
        if self._lane is None:
            self._lane = self._channel(probe=True)
        return self._lane.stream_stream(EXCHANGE_PATH)()

    def release_call(self) -> None:
        """A unary call on the typed channel has ended."""
        self.calls -= 1
        self._close_if_idle()

    def release_stream(self) -> None:
        """A stream on the typed channel has ended."""
        self.streams -= 1
        self._close_if_idle()

    def retire(self, closed: Callable[[Connection], None]) -> None:
        """Let the calls on the typed channel end by themselves, then close and call `closed`."""
        self._when_idle = closed
        self._close_if_idle()

    async def close(self) -> None:
        """Close at once; calls that are left fail."""
        await self.typed.close()
        if self._lane is not None:
            await self._lane.close()

    def _close_if_idle(self) -> None:
        closed = self._when_idle
        if closed is None or self.calls or self.streams or self._closing is not None:
            return
        self._closing = asyncio.create_task(self.close(), name=f"hop close {self._target}")
        self._closing.add_done_callback(lambda _task: closed(self))

    def _channel(self, *, probe: bool = False) -> grpc.aio.Channel:
        settings = self._settings
        options: list[tuple[str, Any]] = [
            ("grpc.use_local_subchannel_pool", 1),  # our own connection, not one shared with another client object
            ("grpc.max_receive_message_length", settings.message_bytes),
            ("grpc.max_send_message_length", settings.message_bytes),
            ("grpc.max_metadata_size", 64 * 1024),
            ("grpc.absolute_max_metadata_size", 128 * 1024),
            ("grpc.initial_reconnect_backoff_ms", int(settings.backoff_initial * 1000)),
            ("grpc.max_reconnect_backoff_ms", int(settings.backoff_max * 1000)),
            ("grpc.enable_http_proxy", 0),
        ]
        if self._credentials is None:
            return grpc.aio.insecure_channel(self._target, options)
        if settings.server_name:
            options.append(("grpc.ssl_target_name_override", settings.server_name))
        if probe and settings.keepalive:
            # Only stages built on this package are probed: others may take frequent pings for abuse.
            options += [
                ("grpc.keepalive_time_ms", int(settings.keepalive * 1000)),
                ("grpc.keepalive_timeout_ms", int(settings.keepalive * 500)),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.http2.max_pings_without_data", 0),
            ]
        return grpc.aio.secure_channel(self._target, self._credentials, options)


class Replica:
    """One target; `run` keeps it connected until it is cancelled."""

    def __init__(
        self,
        stage: str,
        target: str,
        tls: TLSFiles | None,
        settings: ConnectionSettings,
        stats: LaneStats,
        *,
        on_change: Callable[[Replica], None],
        on_room: Callable[[Replica], None],
        on_unsent: Callable[[list[PendingCall]], None],
    ) -> None:
        self._stage = stage
        self.target = addresses.check(target)
        self._tls = None if addresses.socket_path(self.target) else tls
        if self._tls is None and addresses.socket_path(self.target) is None:
            raise addresses.AddressError(
                f"{target!r}: stages on TCP are called only with TLS; "
                "give certificate, key and CA files or use unix:/path"
            )
        self._settings = settings
        self._stats = stats
        self._on_change = on_change
        self._on_room = on_room
        self._on_unsent = on_unsent
        self.state = State.CONNECTING
        self.error: HopError | None = None
        """Why it is not ready."""
        self.connection: Connection | None = None
        self.lane: Lane | None = None
        self.description: DescribeResponse | None = None
        """What Describe said; None for a stage that does not implement it."""
        self._draining = False
        self._serving: bool | None = None
        self._health_known = asyncio.Event()
        self._unsent: list[PendingCall] = []
        self._retired: set[Connection] = set()
        self._reported = False

    @property
    def in_flight(self) -> int:
        """Unary calls that it carries now, over lane and typed contract."""
        calls = 0 if self.connection is None else self.connection.calls
        return calls if self.lane is None else calls + len(self.lane.in_flight)

    async def run(self) -> None:
        """Connect, stay connected, connect again."""
        failures = 0
        try:
            while True:
                began = time.monotonic()
                connected, error = await self._attempt()
                if connected:
                    logs.get().warning("lost the stage", to=self._stage, target=self.target, error=error.message)
                if connected and time.monotonic() - began >= _SETTLED_SECONDS:
                    failures = 0
                if connected and not failures:
                    # A stage that was up may be back already: callers wait for the outcome of one attempt.
                    state, delay = State.CONNECTING, self._settings.backoff_initial * _jitter()
                else:
                    state = State.FAILED
                    bound = self._settings.backoff_initial * 2 ** min(failures, 16)
                    delay = min(self._settings.backoff_max, bound) * _jitter()
                failures += 1
                self._set(state, error)
                unsent, self._unsent = self._unsent, []
                self._on_unsent(unsent)
                await asyncio.sleep(delay)
        finally:
            self._set(State.CLOSED, unavailable(self._stage, "the client has been closed"))

    def _set(self, state: State, error: HopError | None = None) -> None:
        self.state, self.error = state, error
        if state is State.READY:
            self._reported = False
        elif state is State.FAILED and error is not None and not self._reported:
            self._reported = True
            logs.get().warning("stage is out of reach", to=self._stage, target=self.target, error=error.message)
        self._on_change(self)

    async def _attempt(self) -> tuple[bool, HopError]:
        """One connection from beginning to end: whether it came about, and why it ended."""
        try:
            credentials = None if self._tls is None else self._tls.channel_credentials()
            connection = Connection(self.target, credentials, self._settings)
        except OSError as error:
            return False, unavailable(self._stage, f"TLS file: {error}")
        self._draining = False
        self._serving = None
        follower = asyncio.create_task(self._follow_health(connection), name=f"hop health of {self._stage}")
        try:
            try:
                async with asyncio.timeout(self._settings.connect_timeout):
                    description = await self._describe(connection)
                    lane = await self._open_lane(connection, description)
                    await self._health_known.wait()
            except TimeoutError:
                return False, unavailable(self._stage, f"no answer within {self._settings.connect_timeout:g} s")
            except grpc.aio.AioRpcError as error:
                return False, HopError.from_rpc_error(error, self._stage)
            self.description, self.connection, self.lane = description, connection, lane
            self._announce(lane is not None)
            self._update()
            if lane is not None:
                why, self._unsent = await lane.run()
                self.lane = None
                if why.code is not grpc.StatusCode.UNIMPLEMENTED:
                    return True, why
                unsent, self._unsent = self._unsent, []
                self._on_unsent(unsent)  # over the typed contract
            return True, await asyncio.shield(follower)
        finally:
            follower.cancel()
            self.connection = self.lane = None
            if self.state in (State.READY, State.NOT_SERVING):
                # while the rest is closed below, callers must not take it for one that can be called
                self._set(State.CONNECTING)
            if self._draining:
                self._retired.add(connection)
                connection.retire(self._retired.discard)
            else:
                await connection.close()
            await asyncio.gather(follower, return_exceptions=True)

    async def close(self) -> None:
        """Close what is left of earlier connections, once `run` has ended."""
        for connection in list(self._retired):
            await connection.close()

    def _announce(self, over_lane: bool) -> None:
        description = self.description
        logs.get().info(
            "connected to stage",
            to=self._stage,
            target=self.target,
            contract=description.contract if description else "",
            version=description.version if description else "",
            over="exchange lane" if over_lane else "unary calls",
        )

    def _update(self) -> None:
        if self.connection is None:
            return
        if self._draining:
            self._set(State.NOT_SERVING, unavailable(self._stage, "the stage is stopping"))
        elif self._serving:
            self._set(State.READY)
        else:
            self._set(
                State.NOT_SERVING, unavailable(self._stage, "the stage is up but says that it is not ready to serve")
            )

    async def _describe(self, connection: Connection) -> DescribeResponse | None:
        try:
            answer = await connection.unary(StageRpcs.DESCRIBE.path)(DescribeRequest().SerializeToString())
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                return None
            raise
        return DescribeResponse.FromString(answer)

    async def _open_lane(self, connection: Connection, description: DescribeResponse | None) -> Lane | None:
        offered = description is not None and EXCHANGE_CAPABILITY in description.capabilities
        if not offered or not self._settings.exchange:
            return None
        stream: Stream | None = await self._open_socket(description)
        if stream is None:
            over_grpc = connection.open_lane()
            await over_grpc.wait_for_connection()
            stream = over_grpc
        return Lane(
            self._stage,
            stream,
            frame_bytes=self._settings.frame_bytes,
            stats=self._stats,
            on_room=self._room,
            on_farewell=self._farewell,
        )

    async def _open_socket(self, description: DescribeResponse | None) -> FrameSocket | None:
        """The lane's own socket; None where there is none, as behind a proxy that forwards the stage's socket alone."""
        path = addresses.socket_path(self.target)
        if path is None or description is None or SOCKET_CAPABILITY not in description.capabilities:
            return None
        try:
            return await connect(lane_path(path), self._settings.message_bytes)
        except OSError:
            return None

    def _room(self) -> None:
        self._on_room(self)

    def _farewell(self) -> None:
        """The stage is about to stop: no new calls for it, those in flight are still answered."""
        self._draining = True
        self._update()
        if self.lane is not None:
            self.lane.farewell()

    async def _follow_health(self, connection: Connection) -> HopError:
        """Keep `_serving` current until the connection is lost; returns why it was."""
        self._health_known.clear()
        request = health_pb2.HealthCheckRequest().SerializeToString()
        watch = connection.stream(HEALTH_WATCH)(request)
        try:
            async for answer in watch:
                status = health_pb2.HealthCheckResponse.FromString(answer).status
                # A stage that knows no overall health has no opinion, which must not shut it out.
                self._serving = status != health_pb2.HealthCheckResponse.NOT_SERVING
                self._health_known.set()
                self._update()
            # It does so when it stops; what it has been sent is still answered.
            self._draining = True
            self._update()
            return unavailable(self._stage, "the stage is stopping")
        except grpc.aio.AioRpcError as error:
            why = HopError.from_rpc_error(error, self._stage)
        if why.code is not grpc.StatusCode.UNIMPLEMENTED:
            return why
        self._serving = True
        self._health_known.set()
        self._update()
        # Nothing but the channel's state tells that such a stage has gone; gRPC can be asked, it cannot be waited for
        # in a way that a cancelled task could leave.
        while connection.typed.get_state(try_to_connect=True) is not _BROKEN:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        return unavailable(self._stage, "the connection to the stage broke")
