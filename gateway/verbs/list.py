"""LIST of a collection: a head, then storage's chunks as they come, not decoded where the stored version will do.

As apiserver pkg/endpoints/handlers/get.go.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import orjson

from gateway.answers import JSON, Answer, StreamSink
from gateway.context import RequestContext
from gateway.forms import check_form, list_answer, speaks_storage
from gateway.negotiating import PLAIN, negotiate
from gateway.options import ListOptions
from gateway.scopes import Scope
from gateway.server.connection import GZIP_THRESHOLD, accepts_gzip
from gateway.verbs.selecting import read_options
from gateway.verbs.tools import Tools
from kubehop.machinery.objects import Object
from kubehop.machinery.status import StatusError
from kubehop.pb.storage.v1 import ListHeader, ListRequest, ListResponse

if TYPE_CHECKING:
    from gateway.routing import Verb

STREAMED_FROM = GZIP_THRESHOLD
"""Bytes from which on a list goes out in chunks; a smaller one goes out in one piece."""


def verb(tools: Tools) -> Verb:
    """Return the verb."""
    storage = tools.backends.storage

    async def list_(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        check_form(request, scope, accepted, listing=True)
        options = read_options(request, scope, watch=False)
        stored = accepted is PLAIN and speaks_storage(scope)
        parts = storage.list(request, to_message(request, scope, options, with_type_meta=not stored))
        async with aclosing(parts):
            header = (await anext(parts)).header
            if stored:
                return await _pass_through(request, scope, header, parts)
            items = b",".join([part.chunk.items async for part in parts if part.chunk.count])
            return list_answer(request, scope, accepted, items, metadata_of(header))

    return list_


def to_message(request: RequestContext, scope: Scope, options: ListOptions, *, with_type_meta: bool) -> ListRequest:
    """Return what is asked of storage."""
    return ListRequest(
        key=scope.collection_key(request.info.name),
        label_selector=options.label_selector,
        field_selector=options.field_selector,
        resource_version=options.resource_version,
        resource_version_match=options.resource_version_match,
        limit=options.limit,
        continue_token=options.continue_token,
        with_type_meta=with_type_meta,
    )


def metadata_of(header: ListHeader) -> Object:
    """Return the list's metadata."""
    metadata: Object = {"resourceVersion": str(header.revision)}
    if header.continue_token:
        metadata["continue"] = header.continue_token
        if header.HasField("remaining_item_count"):
            metadata["remainingItemCount"] = header.remaining_item_count
    return metadata


async def _pass_through(
    request: RequestContext, scope: Scope, header: ListHeader, parts: AsyncGenerator[ListResponse, None]
) -> Answer:
    resource = scope.resource
    head = b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[' % (
        resource.list_kind.encode(),
        resource.api_version.encode(),
        orjson.dumps(metadata_of(header)),
    )
    pieces, size = [head], len(head)
    sink: StreamSink | None = None
    squeeze: Any = None
    try:
        async for part in parts:
            chunk = part.chunk
            if not chunk.count:
                continue
            if size > len(head):
                pieces.append(b",")
            pieces.append(chunk.items)
            size += len(chunk.items)
            if sink is None and size > STREAMED_FROM:
                squeeze = zlib.compressobj(1, zlib.DEFLATED, 31) if accepts_gzip(request.headers) else None
                extra = "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n" if squeeze else ""
                sink = request.wire.open_stream(request, 200, JSON, extra)
            if sink is not None:
                data = b"".join(pieces)
                pieces.clear()
                await sink.write(squeeze.compress(data) if squeeze else data)
    except StatusError:
        if sink is None:
            raise
        sink.abort()  # the head has promised a whole list: the client must see that it is none
        raise ConnectionAbortedError("storage failed in the middle of a list") from None
    pieces.append(b"]}\n")
    data = b"".join(pieces)
    if sink is None:
        return Answer(200, data)
    await sink.write(squeeze.compress(data) + squeeze.flush() if squeeze else data)
    sink.close()
    return Answer.of_stream(200, sink.size)
