"""The calling side of a hop: one `StageClient` per stage, whatever the number of its replicas.

Gateway and stages hold one client per stage that they call. Unary calls go over the exchange lane of a ready replica,
or over the typed contract where the stage offers no lane or the payload is large; streams always use the typed
contract. Replicas take turns; each carries a bounded number of calls, and beyond that callers wait in one line, first
come first served, until their deadline. Every failure is a `HopError`.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import count
from time import perf_counter, time
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from kubehop.hop import metrics
from kubehop.hop.calls import NO_CONTEXT, CallContext
from kubehop.hop.deadlines import DeadlineWatch
from kubehop.hop.errors import HopError, deadline_exceeded, unavailable
from kubehop.hop.lane import PendingCall, decode_failure
from kubehop.hop.replica import HEALTH_CHECK, Connection, Replica, State
from kubehop.hop.tls import TLSFiles
from kubehop.pb.hop.v1 import DescribeResponse
from kubehop.pb.methods import Request, Response, StreamMethod, UnaryMethod


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How a client connects and what it bounds."""

    max_in_flight: int = 1024
    """Calls in flight per replica; beyond it callers wait in line."""
    lane_payload_bytes: int = 256 * 1024
    """Requests above this size take the typed unary call, so that they do not hold up the lane."""
    frame_bytes: int = 1024 * 1024
    """Size at which a frame is closed and the next one begun."""
    message_bytes: int = 64 * 1024 * 1024
    """Largest message accepted or sent."""
    call_timeout: float | None = 60.0
    """Seconds for unary calls whose context has no deadline; None waits as long as it takes."""
    connect_timeout: float = 5.0
    """Seconds that one attempt to connect and negotiate may take."""
    backoff_initial: float = 0.05
    """Seconds before the second attempt to connect; doubled at each further one, with jitter."""
    backoff_max: float = 3.0
    """Longest pause between two attempts, in seconds."""
    keepalive: float = 10.0
    """Seconds of silence on a TCP lane after which the other side is probed; 0 never probes."""
    server_name: str = ""
    """Name expected in the stage's certificate, where it differs from the host in the target."""
    exchange: bool = True
    """Use the exchange lane where the stage offers it."""


class StageClient:
    """Calls one stage. Create and use it within one running event loop."""

    def __init__(
        self,
        stage: str,
        targets: Sequence[str],
        *,
        tls: TLSFiles | None = None,
        settings: ClientSettings | None = None,
    ) -> None:
        """`stage` names it in errors and logs. Raises AddressError for a target that cannot be used."""
        if not targets:
            raise ValueError(f"stage {stage}: no targets")
        self.stage = stage
        self._settings = settings or ClientSettings()
        self._lane_stats = metrics.lane_stats("client", stage)
        self._stats: dict[str, metrics.MethodStats] = {}
        self._replicas = [
            Replica(
                stage,
                target,
                tls,
                self._settings,
                self._lane_stats,
                on_change=self._changed,
                on_room=self._has_room,
                on_unsent=self._again,
            )
            for target in targets
        ]
        self._ready: list[Replica] = []
        self._turn = 0
        self._numbers = count(1)
        self._waiting: OrderedDict[int, PendingCall] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []
        self._ready_event = asyncio.Event()
        self._deadlines: DeadlineWatch | None = None
        self._closed = False

    async def connect(self) -> None:
        """Start connecting; does not wait and does not fail if the stage is away. A first call does so by itself."""
        self._start()

    def _start(self) -> None:
        if self._closed:
            raise unavailable(self.stage, "the client has been closed")
        if self._deadlines is not None:
            return
        self._deadlines = DeadlineWatch(self._expire)
        self._tasks = [
            asyncio.create_task(replica.run(), name=f"hop to {self.stage} at {replica.target}")
            for replica in self._replicas
        ]

    @property
    def ready(self) -> bool:
        """At least one replica is connected and says that it serves."""
        return bool(self._ready)

    async def wait_ready(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - part of the interface
        """Wait until the stage is ready. Raises HopError UNAVAILABLE after `timeout` seconds."""
        await self.connect()
        try:
            async with asyncio.timeout(timeout):
                await self._ready_event.wait()
        except TimeoutError:
            why = self._why_not()
            raise unavailable(self.stage, f"not ready after {timeout:g} s: {why.message}") from None

    async def call(
        self, method: UnaryMethod[Request, Response], request: Request, context: CallContext = NO_CONTEXT
    ) -> Response:
        """Call a unary method and return its answer. Raises HopError.

        Cancelling the calling task cancels the call on the stage. A call is never repeated once the stage may have
        seen it.
        """
        path = method.path
        stats = self._stats.get(path) or self._new_stats(path)
        payload = request.SerializeToString()
        answer = b""
        code = "OK"
        started = perf_counter()
        stats.in_flight += 1
        try:
            answer = await self._deliver(path, payload, context)
            return method.response.FromString(answer)
        except HopError as error:
            code = error.code.name
            raise
        except asyncio.CancelledError:
            code = "CANCELLED"
            raise
        except DecodeError as error:
            code = "INTERNAL"
            raise decode_failure(self.stage, path, error) from error
        finally:
            stats.in_flight -= 1
            stats.record(code, perf_counter() - started, len(answer), len(payload))

    async def stream(
        self, method: StreamMethod[Request, Response], request: Request, context: CallContext = NO_CONTEXT
    ) -> AsyncGenerator[Response, None]:
        """Call a streaming method. Raises HopError; closing the iterator (`aclose`) cancels the call on the stage."""
        path = method.path
        stats = self._stats.get(path) or self._new_stats(path)
        payload = request.SerializeToString()
        received = 0
        code = "CANCELLED"
        started = perf_counter()
        stats.in_flight += 1
        connection: Connection | None = None
        rpc: Any = None
        try:
            connection = await self._typed(path, payload, context)
            rpc = connection.stream(path)(payload, timeout=context.remaining(), metadata=context.metadata() or None)
            decode = method.response.FromString
            while True:
                data = await rpc.read()
                if data is grpc.aio.EOF:
                    break
                received += len(data)
                yield decode(data)
            code = "OK"
        except grpc.aio.AioRpcError as error:
            code = error.code().name
            raise HopError.from_rpc_error(error, self.stage) from error
        except asyncio.CancelledError:
            if _task_is_cancelled():
                raise
            code = "UNAVAILABLE"
            raise unavailable(self.stage, "the connection to the stage was closed while the stream was open") from None
        except DecodeError as error:
            code = "INTERNAL"
            raise decode_failure(self.stage, path, error) from error
        finally:
            if rpc is not None:
                rpc.cancel()
            if connection is not None:
                connection.release_stream()
            stats.in_flight -= 1
            stats.record(code, perf_counter() - started, received, len(payload))

    async def describe(self) -> DescribeResponse | None:
        """What a connected replica said of itself, None where it does not implement Describe. Raises HopError."""
        for replica in self._replicas:
            if replica.connection is not None:
                return replica.description
        raise self._why_not()

    async def health(self) -> bool:
        """Ask a replica now whether it serves (grpc.health.v1 Check); False if none can be asked."""
        request = health_pb2.HealthCheckRequest().SerializeToString()
        for replica in self._replicas:
            connection = replica.connection
            if connection is None:
                continue
            try:
                answer = await connection.unary(HEALTH_CHECK)(request, timeout=self._settings.connect_timeout)
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                    return True  # it answers, and has no more to say
                continue
            if health_pb2.HealthCheckResponse.FromString(answer).status == health_pb2.HealthCheckResponse.SERVING:
                return True
        return False

    async def close(self) -> None:
        """Fail what is in flight and close all connections."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        for replica in self._replicas:
            await replica.close()
        if self._deadlines is not None:
            self._deadlines.close()

    def _new_stats(self, path: str) -> metrics.MethodStats:
        stats = self._stats[path] = metrics.method_stats("client", self.stage, path)
        return stats

    async def _deliver(self, path: str, payload: bytes, context: CallContext) -> bytes:
        """One call over lane or typed contract; the answer's payload."""
        deadline = context.deadline
        if deadline is None:
            timeout = self._settings.call_timeout
            deadline = math.inf if timeout is None else time() + timeout
        elif deadline <= time():
            raise deadline_exceeded(self.stage, path)
        pending = self._line_up(path, payload, context, deadline)
        try:
            answer = await pending.future
        except asyncio.CancelledError:
            self._withdraw(pending)
            raise
        if type(answer) is bytes:
            return answer
        connection: Connection = answer
        try:
            remaining = None if deadline == math.inf else deadline - time()
            rpc = connection.unary(path)(payload, timeout=remaining, metadata=context.metadata() or None)
            return await rpc
        except grpc.aio.AioRpcError as error:
            raise HopError.from_rpc_error(error, self.stage) from error
        except asyncio.CancelledError:
            if _task_is_cancelled():
                raise
            raise unavailable(
                self.stage, "the connection to the stage was closed while the call was in flight"
            ) from None
        finally:
            connection.release_call()
            self._drain_line()

    async def _typed(self, path: str, payload: bytes, context: CallContext) -> Connection:
        """The connection of a ready replica for a stream; streams hold no place in line of the calls in flight."""
        if not self._ready:
            pending = self._line_up(path, payload, context, context.deadline or math.inf, typed=True)
            try:
                connection: Connection = await pending.future
            except asyncio.CancelledError:
                self._withdraw(pending)
                raise
            connection.streams += 1
            connection.release_call()
            return connection
        self._turn += 1
        replica = self._ready[self._turn % len(self._ready)]
        assert replica.connection is not None
        replica.connection.streams += 1
        return replica.connection

    def _line_up(
        self, path: str, payload: bytes, context: CallContext, deadline: float, *, typed: bool = False
    ) -> PendingCall:
        """Give a call to a replica with room, or let it wait; its future tells the outcome."""
        deadlines = self._deadlines
        if deadlines is None or self._closed:
            self._start()
            assert self._deadlines is not None
            deadlines = self._deadlines
        typed = typed or len(payload) > self._settings.lane_payload_bytes
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        pending = PendingCall(next(self._numbers), path, payload, context, deadline, typed, future)
        deadlines.notice(deadline)
        if self._waiting or not self._give(pending):
            self._wait(pending)
        return pending

    def _wait(self, pending: PendingCall) -> None:
        """Let a call wait in line, unless nobody is there or about to come who could take it."""
        if self._ready or self._connecting():
            self._waiting[pending.number] = pending
            self._lane_stats.waiting = len(self._waiting)
        else:
            pending.future.set_exception(self._why_not())

    def _connecting(self) -> bool:
        return any(replica.state is State.CONNECTING for replica in self._replicas)

    def _give(self, pending: PendingCall) -> bool:
        """Give a call to the next replica with room; False if there is none."""
        ready = self._ready
        limit = self._settings.max_in_flight
        for _ in ready:
            self._turn += 1
            replica = ready[self._turn % len(ready)]
            if replica.in_flight >= limit:
                continue
            lane = replica.lane
            if lane is not None and not pending.typed:
                lane.put(pending)
            else:
                assert replica.connection is not None
                replica.connection.calls += 1
                pending.future.set_result(replica.connection)
            return True
        return False

    def _drain_line(self) -> None:
        waiting = self._waiting
        while waiting:
            number, pending = next(iter(waiting.items()))
            if not pending.future.done() and not self._give(pending):
                break
            del waiting[number]
        self._lane_stats.waiting = len(waiting)

    def _withdraw(self, pending: PendingCall) -> None:
        """The caller has gone."""
        self._waiting.pop(pending.number, None)
        if pending.lane is not None:
            pending.lane.withdraw(pending)
        future = pending.future
        if future.done() and not future.cancelled() and future.exception() is None:
            answer = future.result()
            if isinstance(answer, Connection):  # a place was given at the same moment
                answer.release_call()
                self._drain_line()

    def _again(self, unsent: list[PendingCall]) -> None:
        """Calls that a broken lane never sent: another replica may take them, ahead of those in line."""
        for pending in reversed(unsent):
            if not pending.future.done() and not self._give(pending):
                self._wait(pending)
                if pending.number in self._waiting:
                    self._waiting.move_to_end(pending.number, last=False)

    def _has_room(self, _replica: Replica) -> None:
        if self._waiting:
            self._drain_line()

    def _changed(self, _replica: Replica) -> None:
        """A replica came, went or turned its health."""
        self._ready = [replica for replica in self._replicas if replica.state is State.READY]
        if self._ready:
            self._ready_event.set()
            self._drain_line()
            return
        self._ready_event.clear()
        if self._waiting and not self._connecting():
            why = self._why_not()
            for pending in self._waiting.values():
                if not pending.future.done():
                    pending.future.set_exception(why.copy())
            self._waiting.clear()
            self._lane_stats.waiting = 0

    def _why_not(self) -> HopError:
        """Why no replica can take a call."""
        reasons = []
        for replica in self._replicas:
            where = f"{replica.target}: " if len(self._replicas) > 1 else ""
            reasons.append(where + (replica.error.message if replica.error is not None else replica.state.value))
        return unavailable(self.stage, "; ".join(reasons))

    def _expire(self, now: float) -> float:
        """Fail what is past its deadline, in line and in flight; the next deadline."""
        upcoming = math.inf
        late = []
        for pending in self._waiting.values():
            if pending.deadline <= now:
                late.append(pending)
            else:
                upcoming = min(upcoming, pending.deadline)
        for pending in late:
            del self._waiting[pending.number]
            if not pending.future.done():
                pending.future.set_exception(deadline_exceeded(self.stage, pending.method))
        for replica in self._replicas:
            if replica.lane is not None:
                upcoming = min(upcoming, replica.lane.expire(now))
        self._lane_stats.waiting = len(self._waiting)
        return upcoming


def _task_is_cancelled() -> bool:
    """The running task was asked to stop, as opposed to a call that was cancelled underneath it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
