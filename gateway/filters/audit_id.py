"""Gives every request its audit id: the client's own, else a new one; echoed in the answer.

Outermost filter. The id is the key under which logs, journeys and every stage know this request.
As kube-apiserver: pkg/endpoints/filters/audit_init.go.
"""

from __future__ import annotations

import os

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext

HEADER = "Audit-ID"


def wrap(handler: Handler) -> Handler:
    """Return the handler that names the request before it goes on."""

    async def with_audit_id(request: RequestContext) -> Answer:
        audit_id = request.audit_id = request.headers.get(HEADER) or new_audit_id()
        request.head.append(f"Audit-Id: {audit_id}\r\n")
        return await handler(request)

    return with_audit_id


def new_audit_id() -> str:
    """Return a random UUID (version 4)."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
