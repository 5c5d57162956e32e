"""Frames of an exchange lane over a plain unix socket, where caller and stage share a machine.

HTTP/2 and gRPC's threads cost ten times what a frame itself does. A stage that listens on a unix socket offers the same
frames on a second one beside it, its path with LANE_SUFFIX, and says so in Describe; `kubehop.hop.replica` then opens
its lane there. On the wire a frame is its length, four bytes big-endian, and the serialized kubehop.hop.v1.Frame; a
length of zero says that its sender sends no more (a closed socket is a peer that is gone). Everything else (typed
contract, streams, health) stays on gRPC, and so do lanes over TCP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import grpc

LANE_SUFFIX: Final = ".lane"
SOCKET_CAPABILITY: Final = "exchange-socket"
"""In Describe: the lane is also served on the unix socket beside this one."""
_LENGTH_BYTES: Final = 4
_QUEUED_BYTES: Final = 4 * 1024 * 1024
"""Frames received and not yet taken; beyond it the socket is not read."""


def lane_path(path: Path) -> Path:
    """Where the lane of a stage that listens at `path` is."""
    return path.with_name(path.name + LANE_SUFFIX)


class FrameSocket(asyncio.Protocol):
    """One connection, for either side. Has the methods of a gRPC stream that lanes use."""

    def __init__(self, message_bytes: int, on_connect: Callable[[FrameSocket], None] | None = None) -> None:
        self._message_bytes = message_bytes
        self._on_connect = on_connect
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._frames: deque[bytes] = deque()
        self._queued = 0
        self._finished = False
        """The peer sends no more."""
        self.on_lost: Callable[[], object] | None = None
        """Called when the connection is gone."""
        self._reading: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._paused = False

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and tell the server's side."""
        self._transport = cast("asyncio.Transport", transport)
        if self._on_connect is not None:
            self._on_connect(self)

    def data_received(self, data: bytes) -> None:
        """Cut what came into frames."""
        buffer = self._buffer
        buffer += data
        at, end = 0, len(buffer)
        while end - at >= _LENGTH_BYTES:
            size = int.from_bytes(buffer[at : at + _LENGTH_BYTES])
            if size > self._message_bytes:
                self.cancel()  # no peer of ours sends this; what follows cannot be trusted to be frames
                return
            if end - at - _LENGTH_BYTES < size:
                break
            at += _LENGTH_BYTES
            if not size:
                self._finished = True
                self._wake(self._reading)
                continue
            self._frames.append(bytes(buffer[at : at + size]))
            self._queued += size
            at += size
        if at:
            del buffer[:at]
        if self._frames:
            self._wake(self._reading)
        if self._queued > _QUEUED_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Nothing can be read or written any more."""
        self._transport = None
        self._wake(self._reading)
        self._wake(self._writable)
        if self.on_lost is not None:
            self.on_lost()

    def pause_writing(self) -> None:
        """The peer does not keep up."""
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        """It does again."""
        self._wake(self._writable)
        self._writable = None

    # --- what lanes use ---

    async def read(self) -> Any:
        """The next frame, or grpc.aio.EOF after the last. ConnectionResetError when the peer is gone."""
        while not self._frames:
            if self._finished:
                return grpc.aio.EOF
            if self._transport is None:
                raise ConnectionResetError("the other side closed it")
            self._reading = self._loop.create_future()
            await self._reading
        frame = self._frames.popleft()
        self._queued -= len(frame)
        if self._paused and self._queued <= _QUEUED_BYTES // 2 and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return frame

    async def write(self, data: bytes) -> None:
        """Send a frame. ConnectionResetError when the peer is gone."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the peer has closed the lane")
        self._transport.write(len(data).to_bytes(_LENGTH_BYTES) + data)
        if self._writable is not None:
            await asyncio.shield(self._writable)

    async def done_writing(self) -> None:
        """Send no more; answers still come."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(bytes(_LENGTH_BYTES))

    def cancel(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close once all that was written has left."""
        if self._transport is not None:
            self._transport.close()

    @staticmethod
    def _wake(waiting: asyncio.Future[None] | None) -> None:
        if waiting is not None and not waiting.done():
            waiting.set_result(None)


async def connect(path: Path, message_bytes: int) -> FrameSocket:
    """Open a lane's socket. OSError where nobody listens."""
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_unix_connection(lambda: FrameSocket(message_bytes), str(path))
    return connection
