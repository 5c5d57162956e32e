"""What a handler gives back: an answer in one piece, or the note that a stream has been sent already.

Handlers and filters make and pass them, `gateway.server.connection` writes them.
"""

from __future__ import annotations

from typing import Final, Protocol

JSON: Final = "application/json"
YAML: Final = "application/yaml"
TEXT: Final = "text/plain; charset=utf-8"


class Answer:
    """A complete answer. `sent` says that a stream has carried it to the client already."""

    __slots__ = ("body", "content_type", "head", "sent", "size", "status")

    def __init__(self, status: int, body: bytes, content_type: str = JSON, head: str = "") -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.head = head  # further header lines, each ending in CRLF
        self.size = len(body)
        self.sent = False

    @classmethod
    def of_stream(cls, status: int, size: int) -> Answer:
        """Return the note that `size` bytes went out as a stream."""
        answer = cls(status, b"")
        answer.sent = True
        answer.size = size
        return answer


class StreamSink(Protocol):
    """An answer that goes out piece by piece. The head has been written when one is at hand."""

    size: int
    """Bytes of the body so far."""

    @property
    def paused(self) -> bool:
        """True while the client does not read as fast as it is sent to."""

    @property
    def closed(self) -> bool:
        """True when the client is gone."""

    def push(self, data: bytes) -> None:
        """Send a piece now, whether or not the client reads. Callers look at `paused` before they push more."""

    async def write(self, data: bytes) -> None:
        """Send a piece and wait while the client does not read. ConnectionError when the client is gone."""

    async def drain(self) -> None:
        """Wait until the client has read what was pushed."""

    def close(self) -> None:
        """End the answer properly (the last chunk)."""

    def abort(self) -> None:
        """Break the connection, so that the client sees that the answer is not complete."""


def text(status: int, body: str, *, nosniff: bool = True) -> Answer:
    """Return a plain-text answer, as Go's http.Error writes it."""
    return Answer(status, body.encode(), TEXT, "X-Content-Type-Options: nosniff\r\n" if nosniff else "")


def page_not_found() -> Answer:
    """Return what kube-apiserver's mux answers for a path that nobody serves."""
    return text(404, "404 page not found\n")
