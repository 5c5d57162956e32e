"""What accompanies a call across a hop, seen from both ends.

Callers hand a `CallContext` to `kubehop.hop.client.StageClient`; servicers find it, with the caller's name and a
place for their log fields, in the `Call` that `kubehop.hop.server.StageServer` hands them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

AUDIT_ID_KEY: Final = "audit_id"
"""Metadata key of the audit id over unary and streaming calls."""
TRACEPARENT_KEY: Final = "traceparent"
"""Metadata key of the W3C trace context over unary and streaming calls."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """Who asks and until when; travels with every call."""

    audit_id: str = ""
    """Audit id of the client's request, the key of logs and journeys; empty outside a request."""
    traceparent: str = ""
    """Span of the caller in W3C trace context form; empty when not traced."""
    deadline: float | None = None
    """When the caller stops waiting, in seconds since the epoch; None leaves it to the client's default."""

    def remaining(self) -> float | None:
        """Seconds until the deadline, negative once it has passed; None without a deadline."""
        return None if self.deadline is None else self.deadline - time.time()

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The context as gRPC metadata; the deadline is not in it, it is gRPC's own."""
        entries = []
        if self.audit_id:
            entries.append((AUDIT_ID_KEY, self.audit_id))
        if self.traceparent:
            entries.append((TRACEPARENT_KEY, self.traceparent))
        return tuple(entries)


NO_CONTEXT: Final = CallContext()


class Call:
    """One call as its servicer sees it."""

    __slots__ = ("_fields", "context", "peer")

    def __init__(self, context: CallContext, peer: str) -> None:
        self.context = context
        """What the caller sent along; the deadline in it is enforced by the server."""
        self.peer = peer
        """Common name of the caller's certificate, or "unix" over a unix socket."""
        self._fields: dict[str, object] | None = None

    def log(self, **fields: object) -> None:
        """Add fields to this call's log line, for example `verdict="allow"`; never secrets. Later values win."""
        if self._fields is None:
            self._fields = fields
        else:
            self._fields.update(fields)

    @property
    def fields(self) -> Mapping[str, object]:
        """The fields given to `log` so far, in the order in which they came."""
        return self._fields or {}
