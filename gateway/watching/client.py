"""A client's end of a watch: takes events from the hub, sends their lines, and keeps what a slow client leaves unread.

The watch verb makes one per request and waits for it to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.answers import StreamSink
from gateway.metrics import Events
from gateway.watching.events import ERROR, Event
from gateway.watching.forms import Renderer, error_line
from kubehop.machinery.status import StatusError

MOST_UNREAD_BYTES = 16 * 1024 * 1024
"""What may wait for a client that does not read; beyond it the watch ends, as kube-apiserver ends slow watchers."""


class Watcher:
    """One watching client; the follower that the hub feeds."""

    def __init__(self, sink: StreamSink, renderer: Renderer, counted: Events) -> None:
        self._sink = sink
        self._renderer = renderer
        self._counted = counted
        self._unread: list[bytes] = []
        self._unread_bytes = 0
        self._more = asyncio.Event()
        self._ended = False
        self.begun = False
        """Whether storage has sent anything, were it only that there is nothing."""

    def push(self, events: Sequence[Event]) -> None:
        """Send the lines of events, or keep them while the client does not read."""
        if self._ended:
            return
        self.begun = True
        lines = []
        for event in events:
            if line := self._renderer.line(event):
                self._counted.sizes.observe(len(line))
                lines.append(line)
            if event.type == ERROR:
                self._ended = True
        if lines:
            self._send(lines[0] if len(lines) == 1 else b"".join(lines))
        if self._ended:
            self._more.set()

    def end(self, error: StatusError | None) -> None:
        """Send the error, if there is one, and let the watch end."""
        if not self._ended:
            if error is not None:
                self._send(error_line(error))
            self._ended = True
            self._more.set()

    async def wait(self) -> None:
        """Return when the watch has ended and everything is sent; sends meanwhile what a slow client left unread."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._unread:
                await self._sink.drain()
                unread, self._unread, self._unread_bytes = self._unread, [], 0
                self._sink.push(b"".join(unread))
            if self._ended:
                return

    def _send(self, data: bytes) -> None:
        if not self._sink.paused and not self._unread:
            self._sink.push(data)
            return
        self._unread.append(data)
        self._unread_bytes += len(data)
        if self._unread_bytes > MOST_UNREAD_BYTES:
            self._unread.clear()
            self._ended = True
        self._more.set()
