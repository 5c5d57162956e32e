"""Stand-ins for what is around the gateway's parts. `test_fakes_functional` holds them against the real stages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from multidict import CIMultiDict

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext
from kubehop.machinery import request_info, status
from kubehop.pb.authentication.v1 import (
    DECISION_AUTHENTICATED,
    DECISION_NO_OPINION,
    DECISION_REJECTED,
    AuthenticateResponse,
    UserInfo,
)
from kubehop.pb.authorization.v1 import (
    DECISION_ALLOW,
    Attributes,
    AuthorizeResponse,
    RulesResponse,
)
from kubehop.pb.authorization.v1 import (
    DECISION_NO_OPINION as NO_OPINION,
)
from kubehop.pb.storage.v1 import WatchEvent, WatchRequest, WatchResponse


class FakeSink:
    """A stream that keeps what it is given."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.paused = False
        self.closed = False
        self.ended = False
        self.aborted = False
        self.read_again = asyncio.Event()

    @property
    def size(self) -> int:
        return sum(map(len, self.pieces))

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)

    def push(self, data: bytes) -> None:
        self.pieces.append(data)

    async def write(self, data: bytes) -> None:
        self.push(data)

    async def drain(self) -> None:
        if self.paused:
            await self.read_again.wait()

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.aborted = True


class FakeWire:
    """A connection with a body to read, and a stream that is kept."""

    def __init__(self, body: bytes = b"") -> None:
        self.body = body
        self.sink = FakeSink()
        self.opened: tuple[int, str, str] | None = None

    async def read_body(self, limit: int, deadline: float | None) -> bytes:
        if len(self.body) > limit:
            raise status.request_entity_too_large(f"limit is {limit}")
        return self.body

    def open_stream(self, request: RequestContext, code: int, content_type: str, head: str = "") -> FakeSink:
        self.opened = (code, content_type, head)
        return self.sink


def context(
    method: str = "GET",
    target: str = "/api/v1/namespaces/default/pods/a",
    *,
    headers: Sequence[tuple[str, str]] = (),
    body: bytes = b"",
    user: str = "alice",
    groups: Sequence[str] = (),
) -> RequestContext:
    """A request that has come as far as authorization."""
    path, _, query = target.partition("?")
    made = RequestContext(method, path, query, CIMultiDict(headers), FakeWire(body))
    made.audit_id = "11111111-2222-4333-8444-555555555555"
    made.info = request_info.parse(method, path, made.query)
    made.user = made.requester = UserInfo(username=user, groups=groups)
    return made


def raw(method: str = "GET", target: str = "/version", headers: Sequence[tuple[str, str]] = ()) -> RequestContext:
    """A request as the connection makes it, nothing found out about it yet."""
    path, _, query = target.partition("?")
    return RequestContext(method, path, query, CIMultiDict(headers), FakeWire())


def answering(code: int = 200, body: bytes = b"ok") -> Handler:
    """A handler that always answers the same."""

    async def handler(_request: RequestContext) -> Answer:
        return Answer(code, body)

    return handler


def raising(error: Exception) -> Handler:
    """A handler that always fails."""

    async def handler(_request: RequestContext) -> Answer:
        raise error

    return handler


class FakeAuthenticator:
    """Knows tokens; no credential at all is anonymous."""

    def __init__(self, tokens: dict[str, UserInfo] | None = None, *, anonymous: bool = True) -> None:
        self._tokens = tokens or {"alice-token": UserInfo(username="alice", groups=["developers"])}
        self._anonymous = anonymous

    async def authenticate(self, request: RequestContext) -> AuthenticateResponse:
        return self._verdict(request.headers.get("Authorization") or "")

    async def review_token(self, request: RequestContext, token: str, audiences: list[str]) -> AuthenticateResponse:
        return self._verdict(f"Bearer {token}")

    def _verdict(self, authorization: str) -> AuthenticateResponse:
        warnings = ["the provided Authorization header contains extra space before the bearer token, and is ignored"]
        if authorization.startswith("Bearer  "):
            authorization = ""
        else:
            warnings = []
        if authorization.startswith("Bearer "):
            user = self._tokens.get(authorization.removeprefix("Bearer "))
            if user is None:
                return AuthenticateResponse(decision=DECISION_REJECTED)
            return AuthenticateResponse(decision=DECISION_AUTHENTICATED, user=user)
        if not self._anonymous:
            return AuthenticateResponse(decision=DECISION_NO_OPINION, warnings=warnings)
        user = UserInfo(username="system:anonymous", groups=["system:unauthenticated"])
        return AuthenticateResponse(decision=DECISION_AUTHENTICATED, user=user, warnings=warnings)


class FakeAuthorizer:
    """Allows what a function says, and keeps the questions."""

    def __init__(self, allows: Callable[[UserInfo, Attributes], bool]) -> None:
        self._allows = allows
        self.asked: list[Attributes] = []

    async def authorize(self, request: RequestContext, user: UserInfo, attributes: Attributes) -> AuthorizeResponse:
        self.asked.append(attributes)
        return AuthorizeResponse(decision=DECISION_ALLOW if self._allows(user, attributes) else NO_OPINION)

    async def rules(self, request: RequestContext, user: UserInfo, namespace: str) -> RulesResponse:
        return RulesResponse()


class FakeWatches:
    """The watch side of storage: every stream is fed by hand."""

    def __init__(self) -> None:
        self.messages: list[WatchRequest] = []
        self.feeds: list[asyncio.Queue[WatchResponse | Exception]] = []
        self.ended = 0

    async def watch(self, request: RequestContext | None, message: WatchRequest) -> AsyncGenerator[WatchResponse, None]:
        feed: asyncio.Queue[WatchResponse | Exception] = asyncio.Queue()
        self.messages.append(message)
        self.feeds.append(feed)
        try:
            while True:
                found = await feed.get()
                if isinstance(found, Exception):
                    raise found
                yield found
        finally:
            self.ended += 1

    def send(self, index: int, *events: WatchEvent) -> None:
        self.feeds[index].put_nowait(WatchResponse(events=events))
