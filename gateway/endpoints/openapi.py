"""/openapi/v2 and /openapi/v3: what the kinds look like, for `kubectl explain`, validation and code generators.

Called by `gateway.routing`. Documents are built when first asked for and kept compressed
(`kubehop.machinery.openapi`). Caching as kube-openapi pkg/handler and pkg/handler3: entity tags, hashed URLs for good.
"""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from time import time

from gateway.answers import JSON, Answer, page_not_found, text
from gateway.context import RequestContext
from gateway.server.connection import accepts_gzip
from kubehop.machinery import negotiation
from kubehop.machinery.openapi import Document, OpenAPI

V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_YEAR = 365 * 24 * 3600
_GZIPPED = "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"


class OpenAPIEndpoint:
    """Serves the OpenAPI documents of the built-in kinds."""

    def __init__(self) -> None:
        self._documents: OpenAPI | None = None
        self._building = asyncio.Lock()

    async def answer(self, request: RequestContext) -> Answer:
        """Answer /openapi/v2, /openapi/v3 and /openapi/v3/PATH."""
        _, _, rest = request.path.strip("/").partition("/")
        version, _, path = rest.partition("/")
        if version == "v2" and not path:
            return await self._v2(request)
        if version != "v3":
            return page_not_found()
        documents = await self._load()
        if not path:
            return _tagged(request, documents.index_etag(), documents.index())
        return await self._v3(request, documents, path)

    async def _v2(self, request: RequestContext) -> Answer:
        accept = request.headers.get("Accept") or ""
        if not _accepts_json(accept):
            return text(406, "406 not acceptable\n")
        documents = await self._load()
        if _has(request, documents.swagger_etag()):
            return Answer(304, b"", "", f'Etag: "{documents.swagger_etag()}"\r\nVary: Accept\r\n')
        async with self._building:
            document = await asyncio.to_thread(documents.swagger)
        return _document(request, document, "Vary: Accept\r\n")

    async def _v3(self, request: RequestContext, documents: OpenAPI, path: str) -> Answer:
        digest = documents.hash_of(path)
        if digest is None:
            return page_not_found()
        asked = request.query.get("hash")
        if asked is not None and asked != digest:
            return Answer(301, b"", "", f"Location: /openapi/v3/{path}?hash={digest}\r\n")
        head = ""
        if asked is not None:
            head = f"Expires: {formatdate(time() + _YEAR, usegmt=True)}\r\n"
            request.head = [line for line in request.head if not line.startswith("Cache-Control")]
            request.head.append("Cache-Control: public, immutable\r\n")
        if _has(request, digest):
            return Answer(304, b"", "", f'{head}Etag: "{digest}"\r\n')
        async with self._building:
            document = await asyncio.to_thread(documents.group_version, path)
        return page_not_found() if document is None else _document(request, document, head)

    async def _load(self) -> OpenAPI:
        if self._documents is None:
            async with self._building:
                if self._documents is None:
                    self._documents = await asyncio.to_thread(_make)
        return self._documents


def _make() -> OpenAPI:
    from kubehop.kinds import openapi

    return openapi.documents()


def _accepts_json(accept: str) -> bool:
    """Say whether a client takes the JSON form; the protobuf form is chosen only where nothing else is accepted."""
    if not accept:
        return True
    return any(
        (clause.type, clause.subtype) in (("application", "json"), ("application", "*"), ("*", "*"))
        for clause in negotiation.parse_accept(accept)
    )


def _has(request: RequestContext, etag: str) -> bool:
    return (request.headers.get("If-None-Match") or "").strip('"') == etag


def _document(request: RequestContext, document: Document, head: str) -> Answer:
    head = f'{head}Etag: "{document.etag}"\r\n'
    if accepts_gzip(request.headers):
        return Answer(200, document.compressed, JSON, head + _GZIPPED)
    return Answer(200, document.body, JSON, head)


def _tagged(request: RequestContext, etag: str, body: bytes) -> Answer:
    head = f'Etag: "{etag}"\r\n'
    return Answer(304, b"", "", head) if _has(request, etag) else Answer(200, body, JSON, head)
