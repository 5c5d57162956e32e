"""Writes the head of an answer as bytes: status line and headers, ready for the socket.

Called by `gateway.server.connection` for each answer. By hand, because it is on the path of every request and
aiohttp's general response object costs as much as a hop.
"""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus
from time import time

_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}


class DateLine:
    """The Date header, formatted once a second."""

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def __call__(self) -> str:
        """Return the line for now."""
        second = int(time())
        if second != self._second:
            self._second = second
            self._line = f"Date: {formatdate(second, usegmt=True)}\r\n"
        return self._line


_date = DateLine()


def render(
    status: int, content_type: str, length: int | None, lines: list[str], extra: str, *, keep_alive: bool, old: bool
) -> bytes:
    """Return the head.

    length is that of the body in bytes, None for a chunked one. lines and extra are header lines that end in CRLF.
    keep_alive says whether the connection goes on; old that the client speaks HTTP/1.0.
    """
    if length is None:
        framing = "" if old else "Transfer-Encoding: chunked\r\n"
    elif status == 204 or status == 304:
        framing = ""
    else:
        framing = f"Content-Length: {length}\r\n"
    connection = ""
    if not keep_alive:
        connection = "Connection: close\r\n"
    elif old:
        connection = "Connection: keep-alive\r\n"
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    line = _LINES.get(status) or f"HTTP/1.1 {status} \r\n"
    return f"{line}{''.join(lines)}{extra}{kind}{_date()}{framing}{connection}\r\n".encode("utf-8", "surrogateescape")
