"""The caller's side of an exchange lane: many calls in flight on one stream.

`kubehop.hop.replica` opens a `Lane` to a stage that offers it; `kubehop.hop.client` puts `PendingCall`s on it. Whatever
is waiting when the writer wakes leaves as one frame. When the lane breaks, calls that may have reached the stage fail
at once with UNAVAILABLE, because repeating a write is not safe; calls that had not been handed to gRPC are given back.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Any, cast

import grpc
from google.protobuf.message import DecodeError

from kubehop.hop.calls import CallContext
from kubehop.hop.errors import HopError, deadline_exceeded, unavailable
from kubehop.hop.metrics import LaneStats
from kubehop.hop.sockets import FrameSocket
from kubehop.pb.hop.v1 import Frame

Stream = grpc.aio.StreamStreamCall[Any, Any] | FrameSocket


class PendingCall:
    """A call that waits for its answer, first in line and then on a lane."""

    __slots__ = ("context", "deadline", "future", "lane", "method", "number", "payload", "sent", "typed")

    def __init__(
        self,
        number: int,
        method: str,
        payload: bytes,
        context: CallContext,
        deadline: float,
        typed: bool,
        future: asyncio.Future[Any],
    ) -> None:
        self.number = number
        self.method = method
        self.payload = payload
        self.context = context
        self.deadline = deadline
        """Seconds since the epoch, infinity without one."""
        self.typed = typed
        """Wants the typed contract, not the lane."""
        self.future = future
        """Resolves to the answer's payload, or to the replica whose typed contract shall be called instead."""
        self.lane: Lane | None = None
        self.sent = False
        """Handed to gRPC: from here on the stage may have seen it."""


class Lane:
    """One open exchange stream to one replica."""

    def __init__(
        self,
        stage: str,
        stream: Stream,
        *,
        frame_bytes: int,
        stats: LaneStats,
        on_room: Callable[[], None],
        on_farewell: Callable[[], None],
    ) -> None:
        self._stage = stage
        self._stream = stream
        self._frame_bytes = frame_bytes
        self._stats = stats
        self._on_room = on_room
        self._on_farewell = on_farewell
        self._loop = asyncio.get_running_loop()
        self.in_flight: dict[int, PendingCall] = {}
        """Calls on this lane by their number, those that have not been written included."""
        self._outgoing: list[PendingCall] = []
        self._cancels: list[int] = []
        self._writer_idle: asyncio.Future[None] | None = None
        self._closing = False

    def put(self, pending: PendingCall) -> None:
        """Send a call; its future resolves when the answer comes or the lane breaks."""
        pending.lane = self
        self.in_flight[pending.number] = pending
        self._outgoing.append(pending)
        self._wake()

    def withdraw(self, pending: PendingCall) -> None:
        """The caller no longer waits: free the place and tell the stage, if it can have seen the call."""
        if self.in_flight.pop(pending.number, None) is None:
            return
        if pending.sent:
            self._cancels.append(pending.number)
            self._wake()
        self._on_room()

    def expire(self, now: float) -> float:
        """Fail the calls that are past their deadline; the next deadline."""
        upcoming = math.inf
        late = []
        for pending in self.in_flight.values():
            if pending.deadline <= now:
                late.append(pending)
            elif pending.deadline < upcoming:
                upcoming = pending.deadline
        for pending in late:
            if not pending.future.done():
                pending.future.set_exception(deadline_exceeded(self._stage, pending.method))
            self.withdraw(pending)
        return upcoming

    def farewell(self) -> None:
        """Take no more calls; half-close once what is queued has been written, and end when all are answered."""
        self._closing = True
        self._wake()

    async def run(self) -> tuple[HopError, list[PendingCall]]:
        """Carry calls until the lane ends; returns why, and the calls that never reached the wire."""
        self._stats.lanes += 1
        reader = asyncio.create_task(self._read(), name=f"hop lane reader {self._stage}")
        writer = asyncio.create_task(self._write(), name=f"hop lane writer {self._stage}")
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
            if writer.done() and not reader.done() and writer.exception() is None:
                await asyncio.wait((reader,))  # half-closed: the answers in flight still come
            elif not reader.done():
                await asyncio.wait((reader,), timeout=1.0)  # a failed write: the reader learns the stream's status
        except asyncio.CancelledError:
            for pending in self._break(unavailable(self._stage, "the client has been closed")):
                pending.future.set_exception(unavailable(self._stage, "the client has been closed"))
            raise
        finally:
            self._closing = True
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)
            self._stream.cancel()
            self._stats.lanes -= 1
        why = self._why_ended(reader)
        return why, self._break(why)

    def _why_ended(self, reader: asyncio.Task[None]) -> HopError:
        error = None if reader.cancelled() else reader.exception()
        if isinstance(error, grpc.aio.AioRpcError):
            return HopError.from_rpc_error(error, self._stage)
        if error is not None:
            return unavailable(self._stage, f"the exchange lane failed: {error}")
        return unavailable(self._stage, "the stage closed the exchange lane")

    def _break(self, why: HopError) -> list[PendingCall]:
        """Fail what the stage may have seen; returns the other calls."""
        not_executed = why.code is grpc.StatusCode.UNIMPLEMENTED
        unsent = []
        if self.in_flight:
            self._stats.breaks += 1
        for pending in self.in_flight.values():
            pending.lane = None
            if pending.future.done():
                continue
            if pending.sent and not not_executed:
                lost = f"the connection to the stage broke while the call was in flight ({why.message})"
                pending.future.set_exception(unavailable(self._stage, lost))
            else:
                pending.sent = False
                unsent.append(pending)
        self.in_flight.clear()
        self._outgoing.clear()
        return unsent

    def _wake(self) -> None:
        idle = self._writer_idle
        if idle is not None:
            self._writer_idle = None
            if not idle.done():
                idle.set_result(None)

    async def _read(self) -> None:
        stats = self._stats
        in_flight = self.in_flight
        read = self._stream.read
        while True:
            data = await read()
            if data is grpc.aio.EOF:
                return
            envelopes = Frame.FromString(cast("bytes", data)).envelopes
            stats.frames_in += 1
            stats.envelopes_in += len(envelopes)
            for envelope in envelopes:
                pending = in_flight.pop(envelope.id, None)
                if pending is None:
                    if envelope.cancel and envelope.id == 0:
                        self._on_farewell()
                    continue  # an answer that nobody waits for any more
                future = pending.future
                if future.done():
                    continue
                if envelope.HasField("status"):
                    future.set_exception(HopError.from_status(envelope.status, self._stage))
                else:
                    future.set_result(envelope.payload)
            self._on_room()

    async def _write(self) -> None:
        stats = self._stats
        write = self._stream.write
        while True:
            if not self._outgoing and not self._cancels:
                if self._closing:
                    await self._stream.done_writing()
                    return
                self._writer_idle = self._loop.create_future()
                await self._writer_idle
            data, count = self._next_frame()
            if count:
                stats.frames_out += 1
                stats.envelopes_out += count
                await write(data)

    def _next_frame(self) -> tuple[bytes, int]:
        """What is pending, as one frame up to its bound; marks the calls in it as sent."""
        frame = Frame()
        add = frame.envelopes.add
        cancels, self._cancels = self._cancels, []
        for number in cancels:
            add(id=number, cancel=True)
        outgoing, self._outgoing = self._outgoing, []
        size = 0
        taken = 0
        for pending in outgoing:
            if size and size + len(pending.payload) > self._frame_bytes:
                break
            taken += 1
            if pending.number not in self.in_flight:
                continue  # withdrawn before it left
            size += len(pending.payload) + 64
            envelope = add(id=pending.number, method=pending.method, payload=pending.payload)
            context = envelope.context
            sent = pending.context
            if sent.audit_id:
                context.audit_id = sent.audit_id
            if sent.traceparent:
                context.traceparent = sent.traceparent
            if pending.deadline < math.inf:
                context.deadline_unix_ms = math.ceil(pending.deadline * 1000)
            pending.sent = True
        if taken < len(outgoing):
            self._outgoing = outgoing[taken:] + self._outgoing
        return frame.SerializeToString(), len(frame.envelopes)


def decode_failure(stage: str, method: str, error: DecodeError) -> HopError:
    """The stage answered something that is not the method's response."""
    return HopError(grpc.StatusCode.INTERNAL, f"the answer of {method} does not decode: {error}", stage=stage)
