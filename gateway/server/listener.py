"""The HTTPS port: TLS, the listening socket, and the aiohttp server behind it.

`gateway.__main__` opens it last, when requests can be answered, and closes it first.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl

from aiohttp.web_server import Server

from gateway.chain import Handler
from gateway.server.connection import Connection
from gateway.settings import ServingSettings

LARGEST_HEADER = 1024 * 1024
"""Bytes of a request line or header, as Go's DefaultMaxHeaderBytes."""
BACKLOG = 1024
KEEP_ALIVE_SECONDS = 180.0


class PortError(Exception):
    """The port cannot be listened on; the message says what to do."""


def tls_context(settings: ServingSettings) -> ssl.SSLContext:
    """Return the server's TLS: 1.2 or newer, a client certificate asked for where there are authorities for it.

    A certificate that none of them signed fails the handshake; who is behind a good one, authentication says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.cert_file, settings.key_file)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    for path in settings.authority_files:
        context.load_verify_locations(path)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def open_socket(settings: ServingSettings) -> socket.socket:
    """Bind the port. Raises PortError with one clear line where that does not work."""
    family = socket.AF_INET6 if ":" in settings.bind_address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.reuse_port:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    where = f"{settings.bind_address}:{settings.secure_port}"
    try:
        made.bind((settings.bind_address, settings.secure_port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise PortError(
                f"port {where} is in use: stop what listens there, or choose another --secure-port"
            ) from None
        raise PortError(f"cannot listen on {where}: {error.strerror}") from None
    made.setblocking(False)
    return made


class Listener:
    """The open port."""

    def __init__(self, settings: ServingSettings, handler: Handler) -> None:
        self._settings = settings
        self._connection = Connection(handler)
        self._server: Server | None = None
        self._port: asyncio.Server | None = None

    async def open(self, bound: socket.socket) -> None:
        """Serve on a bound socket."""
        loop = asyncio.get_running_loop()
        self._server = Server(
            self._connection.handle,
            access_log=None,
            handler_cancellation=True,
            auto_decompress=False,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            max_line_size=LARGEST_HEADER,
            max_field_size=LARGEST_HEADER,
        )
        self._port = await loop.create_server(self._server, sock=bound, ssl=tls_context(self._settings))

    async def stop_accepting(self) -> None:
        """Close the listening socket; connections stay."""
        if self._port is not None:
            self._port.close()

    async def close(self, patience: float) -> None:
        """Close connections, giving those that are answering `patience` seconds."""
        await self.stop_accepting()
        if self._server is not None:
            self._server.pre_shutdown()
            await self._server.shutdown(patience)
