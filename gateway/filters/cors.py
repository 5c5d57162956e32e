"""Lets browser pages of allowed origins read the answers, and answers their preflight requests.

Outside authentication, because a preflight carries no credentials. Does nothing without --cors-allowed-origins.
As kube-apiserver: pkg/server/filters/cors.go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext

_LINES = (
    "Access-Control-Allow-Methods: POST, GET, OPTIONS, PUT, DELETE, PATCH\r\n"
    "Access-Control-Allow-Headers: Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, "
    "X-Requested-With, If-Modified-Since\r\n"
    "Access-Control-Expose-Headers: Date\r\n"
    "Access-Control-Allow-Credentials: true\r\n"
)


def wrap(handler: Handler, allowed_origins: Sequence[re.Pattern[str]]) -> Handler:
    """Return the handler that answers to the origins that match one of the patterns (searched, not anchored)."""
    if not allowed_origins:
        return handler

    async def with_cors(request: RequestContext) -> Answer:
        origin = request.headers.get("Origin")
        if origin and any(pattern.search(origin) for pattern in allowed_origins):
            request.head.append(f"Access-Control-Allow-Origin: {origin}\r\n{_LINES}")
            if request.method == "OPTIONS":
                return Answer(204, b"", "")
        return await handler(request)

    return with_cors
