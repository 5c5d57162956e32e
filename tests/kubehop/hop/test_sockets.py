"""Frames over a unix socket: cut and joined anywhere, ended in order, refused when they cannot be frames."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from kubehop.hop.sockets import FrameSocket, connect

LIMIT = 1000


@pytest.fixture
async def pair() -> AsyncIterator[tuple[FrameSocket, FrameSocket, Path]]:
    """Both ends of a connection, and where the server listens."""
    with tempfile.TemporaryDirectory(prefix="kh-") as directory:
        path = Path(directory) / "s"
        accepted: asyncio.Queue[FrameSocket] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: FrameSocket(LIMIT, accepted.put_nowait), str(path))
        near = await connect(path, LIMIT)
        far = await accepted.get()
        yield near, far, path
        near.cancel()
        far.cancel()
        server.close()
        await asyncio.sleep(0)


async def test_frames_arrive_whole_and_in_order(pair: tuple[FrameSocket, FrameSocket, Path]) -> None:
    """Whatever the socket does to the bytes."""
    near, far, _ = pair
    sent = [bytes([n]) * (n * 7 % LIMIT + 1) for n in range(200)]
    for frame in sent:
        await near.write(frame)
    assert [await far.read() for _ in sent] == sent


async def test_bytes_in_pieces() -> None:
    """A frame is complete when its last byte is there."""
    lane = FrameSocket(LIMIT)
    for byte in (3).to_bytes(4) + b"abc" + (1).to_bytes(4) + b"d":
        lane.data_received(bytes([byte]))
    assert [await lane.read(), await lane.read()] == [b"abc", b"d"]


async def test_half_close_lets_answers_come(pair: tuple[FrameSocket, FrameSocket, Path]) -> None:
    """Who sends no more still receives."""
    near, far, _ = pair
    await near.write(b"last")
    await near.done_writing()
    assert await far.read() == b"last"
    assert await far.read() is grpc.aio.EOF
    await far.write(b"answer")
    assert await near.read() == b"answer"


async def test_a_peer_that_is_gone_is_an_error(pair: tuple[FrameSocket, FrameSocket, Path]) -> None:
    """Reading and writing say so, and whoever asked is told."""
    near, far, _ = pair
    told = asyncio.Event()
    far.on_lost = told.set
    near.cancel()
    with pytest.raises(ConnectionResetError):
        await far.read()
    await asyncio.wait_for(told.wait(), 5)
    with pytest.raises(ConnectionResetError):
        await far.write(b"x")


async def test_what_is_no_frame_ends_the_connection(pair: tuple[FrameSocket, FrameSocket, Path]) -> None:
    """A length beyond the limit is not believed."""
    near, far, path = pair
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"\xff" * 8)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    await near.write(b"others are not concerned")
    assert await far.read() == b"others are not concerned"
