"""The stage's side of an exchange lane: one stream of frames, many calls in flight.

`kubehop.hop.server` runs one `Exchange` per stream that a caller opens. Calls start in the order in which they arrive
and are answered as they finish; answers that are ready when the writer wakes leave as one frame. A lane runs at most
`limit` calls at a time, counting those whose answer has not been written; more wait in order, and beyond a bound the
lane is not read, so that HTTP/2 flow control reaches the caller.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections import OrderedDict
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from kubehop.hop.calls import Call, CallContext
from kubehop.hop.deadlines import DeadlineWatch
from kubehop.hop.dispatch import OK, Handler
from kubehop.hop.errors import HopError
from kubehop.hop.metrics import LaneStats
from kubehop.hop.sockets import FrameSocket
from kubehop.pb.hop.v1 import Envelope, Frame, Status

Context = grpc.aio.ServicerContext[Any, Any] | FrameSocket
"""The stream of one lane: gRPC's, or a socket's."""
_BACKLOG = 1024  # calls that wait on a lane; while there are no more, their cancellations are read
_ENVELOPE_BYTES = 64  # upper bound of what frame and envelope add to a payload
LINGER_SECONDS = 0.25
"""How long a draining lane stays open without calls for a caller that does not half-close it."""


class _Served:
    """A call that the stage has begun."""

    __slots__ = ("began", "call", "deadline", "expired", "handler", "number", "running", "size", "stopped", "task")

    def __init__(self, number: int, handler: Handler, call: Call, deadline: float, size: int) -> None:
        self.number = number
        self.handler = handler
        self.call = call
        self.deadline = deadline
        """Seconds since the epoch, infinity without one."""
        self.size = size
        """Bytes of the request."""
        self.began = perf_counter()
        self.task: asyncio.Task[None] | None = None
        self.running = False
        """The task has taken its first step."""
        self.stopped = False
        """Nobody waits for the answer, or its deadline has passed."""
        self.expired = False
        """It is the deadline."""

    def stop(self) -> None:
        """End the handler. A task that has not begun cannot notice its cancellation; it looks at `stopped` first."""
        self.stopped = True
        if self.running and self.task is not None:
            self.task.cancel()


class Exchange:
    """One lane. `serve` runs until the caller closes it, it breaks, or `drain` has come to its end."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        peer: str,
        *,
        limit: int,
        frame_bytes: int,
        message_bytes: int,
        stats: LaneStats,
    ) -> None:
        self._handlers = handlers
        self._peer = peer
        self._limit = limit
        self._frame_bytes = frame_bytes
        self._answer_bytes = message_bytes - _ENVELOPE_BYTES
        self._stats = stats
        self._loop = asyncio.get_running_loop()
        self._running: dict[int, _Served] = {}
        self._backlog: OrderedDict[int, Envelope] = OrderedDict()
        self._answers: list[tuple[int, bytes, Status | None]] = []
        self._open = 0  # calls begun whose answer has not been written
        self._writer_idle: asyncio.Future[None] | None = None
        self._changed = asyncio.Event()  # set whenever an answer has been written or a call has ended unanswered
        self._draining = asyncio.Event()
        self._deadlines = DeadlineWatch(self._expire)

    async def serve(self, context: Context) -> None:
        """Read, run and answer."""
        stats = self._stats
        stats.lanes += 1
        writer = asyncio.create_task(self._write(context), name="hop lane writer")
        reader = asyncio.create_task(self._read(context), name="hop lane reader")
        drained = asyncio.create_task(self._drained(), name="hop lane drain")
        try:
            await asyncio.wait((writer, reader, drained), return_when=asyncio.FIRST_COMPLETED)
            if reader.done() and not writer.done():
                reader.result()
                await self._quiet()  # the caller sends no more, but waits for what it has sent
        finally:
            for task in (reader, writer, drained):
                task.cancel()
            for served in self._running.values():
                served.stop()
            self._deadlines.close()
            stats.lanes -= 1
            await asyncio.gather(reader, writer, drained, return_exceptions=True)

    def drain(self) -> None:
        """Tell the caller to send no new calls, and end once all that it has sent is answered."""
        if not self._draining.is_set():
            self._draining.set()
            self._answer(0, b"", None)

    async def _drained(self) -> None:
        await self._draining.wait()
        # A caller that knows the farewell half-closes and ends the lane through the reader. For others: wait until
        # nothing has been in flight for a while.
        while True:
            await self._quiet()
            await asyncio.sleep(LINGER_SECONDS)
            if not self._open and not self._answers and not self._backlog:
                return

    async def _quiet(self) -> None:
        while self._open or self._answers or self._backlog:
            self._changed.clear()
            await self._changed.wait()

    async def _read(self, context: Context) -> None:
        stats = self._stats
        while True:
            data = await context.read()
            if data is grpc.aio.EOF:
                return
            try:
                envelopes = Frame.FromString(data).envelopes
            except DecodeError as error:
                raise HopError(
                    grpc.StatusCode.INVALID_ARGUMENT, "the lane carried something else than a frame"
                ) from error
            stats.frames_in += 1
            stats.envelopes_in += len(envelopes)
            for envelope in envelopes:
                if envelope.cancel:
                    self._cancel(envelope.id)
                elif self._open < self._limit and not self._backlog:
                    self._begin(envelope)
                else:
                    await self._enqueue(envelope)

    async def _enqueue(self, envelope: Envelope) -> None:
        self._backlog[envelope.id] = envelope
        if envelope.context.deadline_unix_ms:
            self._deadlines.notice(envelope.context.deadline_unix_ms / 1000)
        while len(self._backlog) >= _BACKLOG:
            self._changed.clear()
            await self._changed.wait()

    def _begin(self, envelope: Envelope) -> None:
        number = envelope.id
        if number in self._running or not number:
            # answering it would answer another call: the two sides no longer agree on what is in flight
            raise HopError(
                grpc.StatusCode.INVALID_ARGUMENT, f"envelope id {number} is not one to answer: 0 or in flight already"
            )
        self._open += 1
        handler = self._handlers.get(envelope.method)
        if handler is None:
            unknown = HopError(grpc.StatusCode.UNIMPLEMENTED, f"this stage does not serve {envelope.method}")
            self._answer(number, b"", unknown.to_status())
            return
        sent = envelope.context
        milliseconds = sent.deadline_unix_ms
        deadline = milliseconds / 1000 if milliseconds else None
        call = Call(CallContext(sent.audit_id, sent.traceparent, deadline), self._peer)
        payload = envelope.payload
        served = _Served(number, handler, call, math.inf if deadline is None else deadline, len(payload))
        try:
            result = handler.function(handler.decode(payload), call)
        except Exception as error:
            self._fail(served, handler.failure(call, error))
            return
        if handler.immediate and not inspect.isawaitable(result):
            self._succeed(served, result)
            return
        self._running[number] = served
        served.task = self._loop.create_task(self._run(served, result))
        self._deadlines.notice(served.deadline)

    async def _run(self, served: _Served, result: Any) -> None:
        served.running = True
        try:
            if served.stopped:
                if inspect.iscoroutine(result):
                    result.close()
                self._stopped(served)
                return
            response = await result
        except asyncio.CancelledError:
            self._stopped(served)
        except Exception as error:
            self._fail(served, served.handler.failure(served.call, error))
        else:
            self._succeed(served, response)
        finally:
            del self._running[served.number]

    def _succeed(self, served: _Served, response: Message) -> None:
        handler = served.handler
        try:
            payload = response.SerializeToString()
        except Exception as error:
            self._fail(served, handler.failure(served.call, error))
            return
        if len(payload) > self._answer_bytes:
            # gRPC would refuse the frame and with it the whole lane
            limit = HopError(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"the answer has {len(payload)} bytes, too many to send"
            )
            self._fail(served, limit)
            return
        self._answer(served.number, payload, None)
        handler.finish(served.call, OK, served.began, served.size, len(payload))

    def _fail(self, served: _Served, error: HopError) -> None:
        self._answer(served.number, b"", error.to_status())
        served.handler.finish(served.call, error.code.name, served.began, served.size, 0)

    def _stopped(self, served: _Served) -> None:
        """A handler ended by cancellation: of its deadline, of its caller (who does not wait), or of its own doing."""
        if served.expired:
            late = f"{served.handler.name} did not answer within its deadline"
            self._fail(served, HopError(grpc.StatusCode.DEADLINE_EXCEEDED, late))
        else:
            self._fail(served, HopError(grpc.StatusCode.CANCELLED, "cancelled"))

    def _cancel(self, number: int) -> None:
        served = self._running.get(number)
        if served is not None:
            served.stop()
        elif self._backlog.pop(number, None) is not None:
            self._changed.set()

    def _expire(self, now: float) -> float:
        """End what is past its deadline; the next deadline."""
        upcoming = math.inf
        for served in self._running.values():
            if served.deadline > now:
                upcoming = min(upcoming, served.deadline)
            elif not served.expired:
                served.expired = True
                served.stop()
        late = []
        for number, envelope in self._backlog.items():
            milliseconds = envelope.context.deadline_unix_ms
            if milliseconds and milliseconds / 1000 <= now:
                late.append(number)
            elif milliseconds:
                upcoming = min(upcoming, milliseconds / 1000)
        for number in late:
            envelope = self._backlog.pop(number)
            self._open += 1
            error = HopError(grpc.StatusCode.DEADLINE_EXCEEDED, f"{envelope.method} waited in line beyond its deadline")
            self._answer(number, b"", error.to_status())
        return upcoming

    def _answer(self, number: int, payload: bytes, status: Status | None) -> None:
        self._answers.append((number, payload, status))
        idle = self._writer_idle
        if idle is not None:
            self._writer_idle = None
            if not idle.done():
                idle.set_result(None)

    async def _write(self, context: Context) -> None:
        stats = self._stats
        while True:
            if not self._answers:
                self._writer_idle = self._loop.create_future()
                await self._writer_idle
            answers, self._answers = self._answers, []
            written = 0
            while written < len(answers):
                frame = Frame()
                add = frame.envelopes.add
                size = 0
                first = written
                for number, payload, status in answers[first:]:
                    if size and size + len(payload) > self._frame_bytes:
                        break
                    if number == 0:
                        add(cancel=True)
                    elif status is None:
                        add(id=number, payload=payload)
                    else:
                        add(id=number, status=status)
                    size += len(payload) + _ENVELOPE_BYTES
                    written += 1
                await context.write(frame.SerializeToString())
                stats.frames_out += 1
                stats.envelopes_out += written - first
                self._open -= sum(1 for number, _, _ in answers[first:written] if number)
                self._changed.set()
                while self._backlog and self._open < self._limit:
                    self._begin(self._backlog.popitem(last=False)[1])
