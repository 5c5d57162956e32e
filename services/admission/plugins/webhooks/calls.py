"""Sends AdmissionReviews: HTTPS with the hook's own authorities, connections kept alive, every wait bounded.

Used by both plugins, which share one `Caller`. aiohttp is imported with the first call, so that a stage without
webhooks does without it. Failures read as Go's HTTP client words them, for that is what people search for.
"""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
from typing import TYPE_CHECKING, Final

from kubehop.machinery import status
from services.admission.cluster import Cluster
from services.admission.plugins.webhooks.errors import CallError
from services.admission.plugins.webhooks.hooks import Hook, Target
from services.admission.plugins.webhooks.reviews import Question
from services.admission.plugins.webhooks.services import Services, UnresolvedError

if TYPE_CHECKING:
    import aiohttp

    from services.admission.plugins.webhooks.sessions import ServiceResolver

RESPONSE_LIMIT: Final = 3 * 1024 * 1024
"""Bytes of an answer that are read, as many as kube-apiserver takes in a request: no patch needs more."""
_UNKNOWN_AUTHORITY: Final = frozenset({18, 19, 20, 21})
_EXPIRED: Final = frozenset({9, 10})
_WRONG_NAME: Final = frozenset({62, 64})


class Caller:
    """The HTTP client of all hooks."""

    def __init__(self, cluster: Cluster) -> None:
        self._services = Services(cluster)
        self._session: aiohttp.ClientSession | None = None
        self._resolver: ServiceResolver | None = None

    async def call(self, hook: Hook, question: Question) -> bytes:
        """The body of a hook's answer. CallError where there is none within the hook's time."""
        try:
            target = hook.target
        except ValueError as error:
            raise CallError(hook.name, f"could not get REST client: {error}") from error
        url = f"{target.url}?timeout={hook.timeout}s"
        try:
            async with asyncio.timeout(hook.timeout):
                return await self._post(url, target, question)
        except TimeoutError as error:
            reason = f'Post "{url}": context deadline exceeded'
            raise CallError(hook.name, f"failed to call webhook: {reason}") from error
        except _AnswerError as error:
            raise CallError(hook.name, f"failed to call webhook: {error}") from error
        except (OSError, ValueError) as error:
            raise CallError(hook.name, f'failed to call webhook: Post "{url}": {self._words(error)}') from error

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, url: str, target: Target, question: Question) -> bytes:
        import aiohttp

        session = self._open()
        headers = {"Content-Type": "application/json", "Accept": "application/json, */*"}
        context = _context(target.ca_bundle)
        try:
            async with session.post(
                url, data=question.body, headers=headers, ssl=context, allow_redirects=False
            ) as response:
                try:
                    body = await _read(response.content)
                except BaseException:
                    # whatever else it sends, nobody will read it
                    if response.connection is not None and response.connection.transport is not None:
                        response.connection.transport.abort()
                    raise
                if not 200 <= response.status < 300:
                    raise _AnswerError(_server_words(response.status, body))
                return body
        except aiohttp.ClientPayloadError as error:
            raise _AnswerError("unexpected EOF") from error
        except aiohttp.ClientError as error:
            if isinstance(error, OSError):
                raise
            raise ConnectionError(_protocol_words(error)) from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            from services.admission.plugins.webhooks import sessions

            self._session, self._resolver = sessions.open_session(self._services)
        return self._session

    def _words(self, error: BaseException) -> str:
        """What went wrong with a connection, as Go says it."""
        import aiohttp

        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return _certificate_words(error.certificate_error, error.host)
        if isinstance(error, aiohttp.ClientConnectorSSLError):
            return f"tls: {error.os_error}"
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            cause = error.os_error
            if isinstance(cause, UnresolvedError):
                return str(cause)
            return f"dial tcp: lookup {error.host}: no such host"
        if isinstance(error, aiohttp.ClientConnectorError):
            host, port = error.host, error.port or 443
            if self._resolver is not None:
                host, port = self._resolver.last(host, port) or (host, port)
            shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            return f"dial tcp {shown}: connect: {_system_words(error.os_error)}"
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return "EOF"
        return _system_words(error) if isinstance(error, OSError) else str(error)


class _AnswerError(Exception):
    """The server answered, but not with a review."""


async def _read(stream: aiohttp.StreamReader) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in stream.iter_chunked(65536):
        size += len(part)
        if size > RESPONSE_LIMIT:
            raise _AnswerError(f"webhook response exceeds the limit of {RESPONSE_LIMIT} bytes")
        parts.append(part)
    return b"".join(parts)


def _server_words(code: int, body: bytes) -> str:
    """An answer that is no success, as client-go words it."""
    text = body[:2048].decode(errors="replace").strip() or "unknown"
    return status.generic_server_response(code, "POST", server_message=text, unexpected=True).message


def _certificate_words(error: BaseException, host: str) -> str:
    start = "tls: failed to verify certificate: x509: "
    code = getattr(error, "verify_code", None)
    if code in _UNKNOWN_AUTHORITY:
        return f"{start}certificate signed by unknown authority"
    if code in _EXPIRED:
        return f"{start}certificate has expired or is not yet valid"
    if code in _WRONG_NAME:
        return f"{start}certificate is not valid for {host}"
    return f"{start}{getattr(error, 'verify_message', '') or error}"


def _protocol_words(error: BaseException) -> str:
    text = str(error).strip()
    return f"malformed HTTP response: {text}" if text else type(error).__name__


def _system_words(error: OSError) -> str:
    """An error of the system as Go prints it."""
    if isinstance(error, ConnectionResetError) or error.errno == 104:
        return "read: connection reset by peer"
    if error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__


@functools.lru_cache(maxsize=256)
def _context(bundle: bytes) -> ssl.SSLContext:
    """TLS with the authorities of a bundle, those of the system where it is empty. ValueError where it holds none."""
    try:
        if not bundle:
            return ssl.create_default_context()
        return ssl.create_default_context(cadata=bundle.decode())
    except (ssl.SSLError, ValueError) as error:
        raise ValueError("unable to load root certificates: unable to parse bytes as PEM block") from error
