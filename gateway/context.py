"""One request on its way through the gateway: what the filters found out about it so far.

Made by `gateway.server.connection` for each request, filled by the filters in the order of `gateway.chain`, read by
verbs and endpoints. It knows no aiohttp: whoever runs the chain can be a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from gateway.query import NO_PARAMETERS, Query, parse_query
from kubehop.hop.calls import CallContext

if TYPE_CHECKING:
    from gateway.answers import StreamSink
    from gateway.journey.hops import Hop
    from kubehop.machinery.request_info import RequestInfo
    from kubehop.pb.authentication.v1 import UserInfo


class Headers(Protocol):
    """The request's headers, read without regard to case."""

    def get(self, key: str, /) -> str | None:
        """Return the first value, or None."""

    def getall(self, key: str, default: list[str], /) -> list[str]:
        """Return all values in order, or default."""

    def keys(self) -> Iterable[str]:
        """Return the names as the client wrote them, repeated where headers are."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Return the names and values, repeated where headers are."""


class Wire(Protocol):
    """The connection behind a request, as far as those who read bodies and send streams need it."""

    async def read_body(self, limit: int, deadline: float | None) -> bytes:
        """Return the whole body.

        limit is in bytes: a longer body raises a 413 StatusError. deadline is in unix seconds: a body that has not
        arrived by then raises a 504 StatusError. To be called once.
        """

    def open_stream(self, request: RequestContext, status: int, content_type: str, head: str = "") -> StreamSink:
        """Send the head of an answer in pieces and return where the pieces go. ConnectionError: the client is gone."""


class RequestContext:
    """What is known about one request. Slots only: one is made per request."""

    __slots__ = (
        "_call",
        "_query",
        "audit_annotations",
        "audit_id",
        "deadline",
        "head",
        "headers",
        "hops",
        "info",
        "long_running",
        "method",
        "path",
        "peer_certificates",
        "query_string",
        "received",
        "remote",
        "requester",
        "traceparent",
        "user",
        "warnings",
        "wire",
    )

    audit_id: str
    """Key of this request in every log, journey and audit event."""
    info: RequestInfo
    """What the URL asks for, set by the request_info filter."""
    user: UserInfo
    """Who asks: set by authentication, replaced by impersonation."""
    requester: UserInfo
    """Who really asks: set by authentication and never replaced."""

    def __init__(
        self,
        method: str,
        path: str,
        query_string: str,
        headers: Headers,
        wire: Wire,
        peer_certificates: tuple[bytes, ...] = (),
        remote: str = "",
    ) -> None:
        self.method = method
        self.path = path  # percent-decoded, as Go's URL.Path
        self.query_string = query_string
        self.headers = headers
        self.wire = wire
        self.peer_certificates = peer_certificates
        self.remote = remote
        self.received = 0.0
        self.deadline: float | None = None
        self.long_running = False
        self.traceparent = ""
        self.head: list[str] = []  # header lines that filters add to whatever answer comes, each ending in CRLF
        self.warnings: dict[str, None] | None = None
        self.audit_annotations: dict[str, str] | None = None
        self.hops: list[Hop] | None = None
        self._query: Query | None = None
        self._call: CallContext | None = None

    @property
    def query(self) -> Query:
        """The parameters of the URL, parsed when first asked for."""
        query = self._query
        if query is None:
            query = self._query = parse_query(self.query_string) if self.query_string else NO_PARAMETERS
        return query

    @property
    def call(self) -> CallContext:
        """What accompanies each hop of this request; fixed when first asked for (after the deadline filter)."""
        call = self._call
        if call is None:
            call = self._call = CallContext(self.audit_id, self.traceparent, self.deadline)
        return call

    def add_warning(self, text: str) -> None:
        """Tell the client something beside the answer, once each, in order."""
        if not text:
            return
        if self.warnings is None:
            self.warnings = {text: None}  # keyed: an object may have a hundred thousand unknown fields
        else:
            self.warnings[text] = None

    def add_audit_annotations(self, annotations: Mapping[str, str]) -> None:
        """Note facts for the audit event of this request."""
        if annotations:
            if self.audit_annotations is None:
                self.audit_annotations = dict(annotations)
            else:
                self.audit_annotations.update(annotations)
