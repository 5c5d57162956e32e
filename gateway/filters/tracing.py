"""Takes over the client's W3C trace context, so that every hop of the request carries it.

Before authentication, unlike in kube-apiserver: a 401 has a trace and a journey too. A malformed header counts as none.
"""

from __future__ import annotations

import re

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def wrap(handler: Handler) -> Handler:
    """Return the handler whose hops carry the client's traceparent."""

    async def with_tracing(request: RequestContext) -> Answer:
        parent = request.headers.get("traceparent")
        if parent and _TRACEPARENT.fullmatch(parent):
            request.traceparent = parent
        return await handler(request)

    return with_tracing
