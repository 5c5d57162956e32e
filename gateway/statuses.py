"""Makes the answer of a StatusError, in the form that the client accepts.

Called by filters and verbs; errors are never hidden behind negotiation: where the client accepts nothing that the
gateway can write, it gets JSON (apiserver responsewriters.ErrorNegotiated).
"""

from __future__ import annotations

from gateway.answers import Answer
from gateway.context import RequestContext
from kubehop.machinery import codec, negotiation
from kubehop.machinery.status import StatusError


def status_answer(request: RequestContext, error: StatusError) -> Answer:
    """Return the Status as JSON, or as YAML where the client prefers that."""
    accepted = negotiation.negotiate_error(
        request.headers.get("Accept") or "",
        pretty=request.query.get("pretty", "") if request.query_string else "",
        user_agent=request.headers.get("User-Agent") or "",
    )
    body = codec.encode(error.status, accepted.media_type, pretty=accepted.pretty)
    head = "".join(f"{name}: {value}\r\n" for name, value in error.headers.items())
    return Answer(error.code, body, accepted.media_type, head)
