"""Where aiohttp ends: each HTTP message becomes a RequestContext, each Answer becomes bytes on the socket.

`gateway.__main__` hands `Connection.handle` to aiohttp's low-level server. aiohttp parses and keeps connections; the
answer is written here in one piece, and aiohttp is told that it has gone out.
"""

from __future__ import annotations

import asyncio
import gzip
import ssl
from time import time
from typing import Any, cast
from urllib.parse import unquote

from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import Headers, RequestContext
from gateway.filters.warnings import write_warnings
from gateway.server.heads import render
from kubehop.machinery import status

GZIP_THRESHOLD = 128 * 1024
"""Bytes from which on an answer is compressed for clients that accept it (as kube-apiserver)."""
_GZIP_LEVEL = 1


class _Sent(StreamResponse):
    """Tells aiohttp that the answer is on its way already."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._keep_alive = keep_alive

    async def prepare(self, request: BaseRequest) -> None:  # noqa: ARG002 - aiohttp's signature
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


class MessageWire:
    """The connection behind one HTTP message; see `gateway.context.Wire`."""

    __slots__ = ("_keep_alive", "_request")

    def __init__(self, request: BaseRequest, keep_alive: bool) -> None:
        self._request = request
        self._keep_alive = keep_alive

    async def read_body(self, limit: int, deadline: float | None) -> bytes:
        """Return the whole body."""
        request = self._request
        content = request.content
        if content is EMPTY_PAYLOAD:
            return b""
        length = request.content_length
        if length is not None and length > limit:
            raise status.request_entity_too_large(f"limit is {limit}")
        if (request.headers.get("Expect") or "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if content.is_eof():
            return self._checked(content.read_nowait(-1), limit)
        try:
            async with asyncio.timeout(None if deadline is None else deadline - time()):
                return await self._collect(limit)
        except TimeoutError:
            raise status.timeout("request did not complete within the allotted timeout") from None

    async def _collect(self, limit: int) -> bytes:
        pieces, size = [], 0
        while not self._request.content.at_eof():
            piece = await self._request.content.readany()
            size += len(piece)
            if size > limit:
                raise status.request_entity_too_large(f"limit is {limit}")
            pieces.append(piece)
        return b"".join(pieces)

    @staticmethod
    def _checked(data: bytes, limit: int) -> bytes:
        if len(data) > limit:
            raise status.request_entity_too_large(f"limit is {limit}")
        return data

    def open_stream(self, request: RequestContext, code: int, content_type: str, head: str = "") -> ChunkedSink:
        """Write the head and return the sink for the body."""
        if request.warnings:
            write_warnings(request)
        old = self._request.version < (1, 1)
        rendered = render(
            code, content_type, None, request.head, head, keep_alive=self._keep_alive and not old, old=old
        )
        return ChunkedSink(self._request, rendered, chunked=not old)


class ChunkedSink:
    """A stream in chunked transfer coding (in plain bytes until the connection closes, for HTTP/1.0)."""

    __slots__ = ("_chunked", "_request", "_transport", "size")

    def __init__(self, request: BaseRequest, head: bytes, *, chunked: bool) -> None:
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        self._request = request
        self._transport = transport
        self._chunked = chunked
        self.size = 0
        transport.write(head)

    @property
    def paused(self) -> bool:
        """True while the client does not read as fast as it is sent to."""
        return self._request.protocol.writing_paused

    @property
    def closed(self) -> bool:
        """True when the client is gone."""
        return self._transport.is_closing()

    def push(self, data: bytes) -> None:
        """Send a piece now."""
        if data and not self._transport.is_closing():
            self.size += len(data)
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    async def write(self, data: bytes) -> None:
        """Send a piece, waiting while the client does not read."""
        if self._transport.is_closing():
            raise ConnectionResetError("the client is gone")
        self.push(data)
        if self._request.protocol.writing_paused:
            await self.drain()

    async def drain(self) -> None:
        """Wait until the client has read what was pushed."""
        await self._request.writer.drain()

    def close(self) -> None:
        """Send the last chunk."""
        if self._chunked and not self._transport.is_closing():
            self._transport.write(b"0\r\n\r\n")

    def abort(self) -> None:
        """Break the connection."""
        self._transport.abort()


class Connection:
    """Serves what aiohttp parses."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._kept = _Sent(keep_alive=True)
        self._closed = _Sent(keep_alive=False)

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer one message. Never raises but for a client that is gone."""
        message = request._message
        target = message.path
        path, _, query = target.partition("?")
        if path[:1] != "/":
            path = request.path  # absolute form, or OPTIONS *
            query = request.query_string
        if "%" in path:
            path = unquote(path)
        keep_alive = not message.should_close
        context = RequestContext(
            message.method,
            path,
            query,
            cast("Headers", message.headers),
            MessageWire(request, keep_alive),
            peer_certificates(request),
            remote_address(request),
        )
        answer = await self._handler(context)
        if not answer.sent:
            self._write(request, context, answer, keep_alive)
        return self._kept if keep_alive else self._closed

    @staticmethod
    def _write(request: BaseRequest, context: RequestContext, answer: Answer, keep_alive: bool) -> None:
        transport = request.transport
        if transport is None or transport.is_closing():
            return
        body, extra = answer.body, answer.head
        if len(body) > GZIP_THRESHOLD and accepts_gzip(context.headers) and "Content-Encoding" not in extra:
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
            extra += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
        head = render(
            answer.status,
            answer.content_type,
            len(body),
            context.head,
            extra,
            keep_alive=keep_alive,
            old=request.version < (1, 1),
        )
        transport.write(head if context.method == "HEAD" else head + body)


def accepts_gzip(headers: Headers) -> bool:
    """Say whether the client takes gzip (responseContentEncodingSupported)."""
    for value in headers.getall("Accept-Encoding", []):
        for clause in value.split(","):
            coding, _, parameters = clause.partition(";")
            if coding.strip() == "gzip" and "q=0" not in parameters.replace(" ", "").split(";"):
                return True
    return False


_CERTIFICATES = "kubehop.certificates"
_REMOTE = "kubehop.remote"


def peer_certificates(request: BaseRequest) -> tuple[bytes, ...]:
    """Return the client's certificate chain, DER, leaf first; looked up once per connection."""
    cache: dict[str, Any] = request.protocol._cache
    found: tuple[bytes, ...] | None = cache.get(_CERTIFICATES)
    if found is None:
        found = cache[_CERTIFICATES] = _read_certificates(request)
    return found


def _read_certificates(request: BaseRequest) -> tuple[bytes, ...]:
    secured: ssl.SSLObject | None = request.get_extra_info("ssl_object")
    if secured is None:
        return ()
    leaf = secured.getpeercert(binary_form=True)
    if leaf is None:
        return ()
    # The intermediates are public API from Python 3.13 on only; the SSLObject has had them since 3.10.
    inner = getattr(secured, "_sslobj", None)
    chain = getattr(inner, "get_unverified_chain", lambda: None)() or ()
    certificates = tuple(part if isinstance(part, bytes) else part.public_bytes(2) for part in chain)
    return certificates or (leaf,)


def remote_address(request: BaseRequest) -> str:
    """Return the client's address, looked up once per connection."""
    cache: dict[str, Any] = request.protocol._cache
    found: str | None = cache.get(_REMOTE)
    if found is None:
        found = cache[_REMOTE] = str(request.remote or "")
    return found
