"""Every RPC that the gateway sends, one typed function each, and what their failures mean to a client.

Filters, verbs and endpoints call these and nothing else; each call carries the request's context (audit id, trace,
deadline) and may be noted as a hop of its journey. A HopError never leaves this module: it becomes a StatusError by the
tables at its end, in the words of apiserver pkg/storage/errors and pkg/registry/generic/registry.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import grpc

from gateway.context import RequestContext
from gateway.failures import stage_error, storage_error
from gateway.journey import hops
from kubehop.hop.calls import NO_CONTEXT
from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from kubehop.machinery import status
from kubehop.pb.admission.v1 import (
    AdmissionRpcs,
    MutateRequest,
    MutateResponse,
    ValidateRequest,
    ValidateResponse,
)
from kubehop.pb.admission.v1 import Attributes as AdmissionAttributes
from kubehop.pb.authentication.v1 import (
    AuthenticateRequest,
    AuthenticateResponse,
    AuthenticationRpcs,
    DescribeIssuerRequest,
    DescribeIssuerResponse,
    Header,
    IssueTokenRequest,
    IssueTokenResponse,
    UserInfo,
)
from kubehop.pb.authorization.v1 import (
    Attributes,
    AuthorizationRpcs,
    AuthorizeRequest,
    AuthorizeResponse,
    CheckEscalationRequest,
    CheckEscalationResponse,
    RulesRequest,
    RulesResponse,
)
from kubehop.pb.storage.v1 import (
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DeleteResponse,
    GetRequest,
    GetResponse,
    Key,
    ListChunk,
    ListPageRequest,
    ListPageResponse,
    ListRequest,
    ListResponse,
    RevisionRequest,
    RevisionResponse,
    StorageRpcs,
    UpdateRequest,
    UpdateResponse,
    WatchRequest,
    WatchResponse,
)


class Authenticator(Protocol):
    """Tells who sent a request."""

    async def authenticate(self, request: RequestContext) -> AuthenticateResponse:
        """Hop 1: the verdict on the credentials that came with the request."""

    async def review_token(self, request: RequestContext, token: str, audiences: list[str]) -> AuthenticateResponse:
        """Ask about a bearer token that somebody else presented (TokenReview)."""

    async def issue_token(self, request: RequestContext, message: IssueTokenRequest) -> IssueTokenResponse:
        """Have a token signed for a service account (TokenRequest)."""

    async def describe_issuer(self, request: RequestContext) -> DescribeIssuerResponse:
        """Return the public documents of the tokens' issuer; empty where there is none."""


class Authorizer(Protocol):
    """Tells what a user may do."""

    async def authorize(self, request: RequestContext, user: UserInfo, attributes: Attributes) -> AuthorizeResponse:
        """Hop 2: the verdict on one user and one action."""

    async def rules(self, request: RequestContext, user: UserInfo, namespace: str) -> RulesResponse:
        """List what a user may do in a namespace."""

    async def check_escalation(
        self, request: RequestContext, user: UserInfo, namespace: str, rules: Sequence[str]
    ) -> CheckEscalationResponse:
        """Tell whether a user holds what some rules (JSON) would grant in a namespace."""


class Admitter(Protocol):
    """Changes and accepts objects on their way to storage."""

    async def mutate(self, request: RequestContext, attributes: AdmissionAttributes) -> MutateResponse:
        """Hop 3: the object as the mutating phase left it."""

    async def validate(self, request: RequestContext, attributes: AdmissionAttributes) -> ValidateResponse:
        """Hop 4: whether the object is accepted as it is."""


class Storage(Protocol):
    """Keeps objects as JSON in their storage version.

    Failures are StatusErrors in terms of the resource and name that the key says: 404, 409, 410, 413, 504.
    """

    async def get(self, request: RequestContext, key: Key, resource_version: str = "") -> GetResponse:
        """Read one object."""

    async def create(self, request: RequestContext, key: Key, obj: bytes, ttl_seconds: int = 0) -> CreateResponse:
        """Store a new object."""

    async def update(
        self, request: RequestContext, key: Key, obj: bytes, expected_revision: int, ttl_seconds: int = 0
    ) -> UpdateResponse:
        """Replace an object that is still at the expected revision; a 409 StatusError otherwise."""

    async def delete(
        self, request: RequestContext, key: Key, expected_revision: int = 0, expected_uid: str = ""
    ) -> DeleteResponse:
        """Remove an object."""

    def list(self, request: RequestContext, message: ListRequest) -> AsyncGenerator[ListResponse, None]:
        """Read a collection: the header, then chunks."""

    def watch(self, request: RequestContext | None, message: WatchRequest) -> AsyncGenerator[WatchResponse, None]:
        """Follow a collection until the iterator is closed; request is None for streams that several share."""

    async def revision(self, request: RequestContext | None) -> RevisionResponse:
        """Tell the store's current revision."""


_CREDENTIAL_HEADERS = ("Authorization", "Sec-WebSocket-Protocol")
_WEBSOCKET_HEADERS = ("Upgrade", "Connection")


class AuthenticationBackend:
    """The authentication stage."""

    def __init__(self, client: StageClient) -> None:
        self._client = client

    async def authenticate(self, request: RequestContext) -> AuthenticateResponse:
        """Hop 1: ask with what the client presented."""
        message = AuthenticateRequest(
            peer_certificates=request.peer_certificates,
            headers=_credentials(request),
            method=request.method,
            path=request.path,
            remote_address=request.remote,
        )
        return await self._call(request, message)

    async def review_token(self, request: RequestContext, token: str, audiences: list[str]) -> AuthenticateResponse:
        """Ask about a token alone, for the audiences given."""
        message = AuthenticateRequest(
            headers=[Header(name="authorization", value=f"Bearer {token}")],
            method=request.method,
            path=request.path,
            audiences=audiences,
        )
        return await self._call(request, message)

    async def issue_token(self, request: RequestContext, message: IssueTokenRequest) -> IssueTokenResponse:
        """Have a token signed. A 500 StatusError where the stage has no key."""
        hop = hops.begin(request, "authentication.IssueToken")
        try:
            answer = await self._client.call(AuthenticationRpcs.ISSUE_TOKEN, message, request.call)
        except HopError as error:
            hops.end(hop, error.code.name)
            if error.code in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNIMPLEMENTED):
                raise status.internal_error("failed to generate token: no signing key is configured") from error
            raise stage_error(error) from error
        hops.end(hop, "issued")  # the answer is a secret and no evidence
        return answer

    async def describe_issuer(self, request: RequestContext) -> DescribeIssuerResponse:
        """Return the issuer's documents; a stage that knows of none has none."""
        hop = hops.begin(request, "authentication.DescribeIssuer")
        try:
            answer = await self._client.call(AuthenticationRpcs.DESCRIBE_ISSUER, DescribeIssuerRequest(), request.call)
        except HopError as error:
            hops.end(hop, error.code.name)
            if error.code is grpc.StatusCode.UNIMPLEMENTED:
                return DescribeIssuerResponse()
            raise stage_error(error) from error
        hops.end(hop, "ok", answer)
        return answer

    async def _call(self, request: RequestContext, message: AuthenticateRequest) -> AuthenticateResponse:
        hop = hops.begin(request, "authentication.Authenticate")
        try:
            answer = await self._client.call(AuthenticationRpcs.AUTHENTICATE, message, request.call)
        except HopError as error:
            hops.end(hop, error.code.name)
            raise stage_error(error) from error
        hops.end(hop, answer.authenticator, answer)
        return answer


def _credentials(request: RequestContext) -> list[Header]:
    """Return the headers that may say who the client is, with names in lower case."""
    found = []
    headers = request.headers
    for name, value in headers.items():
        first = name[:1]
        if first in "AaSsXx":
            lower = name.lower()
            if lower in ("authorization", "sec-websocket-protocol") or lower.startswith("x-remote-"):
                found.append(Header(name=lower, value=value))
    if any(header.name == "sec-websocket-protocol" for header in found):
        for name in _WEBSOCKET_HEADERS:
            found.extend(Header(name=name.lower(), value=value) for value in headers.getall(name, []))
    return found


class AuthorizationBackend:
    """The authorization stage."""

    def __init__(self, client: StageClient) -> None:
        self._client = client

    async def authorize(self, request: RequestContext, user: UserInfo, attributes: Attributes) -> AuthorizeResponse:
        """Hop 2."""
        hop = hops.begin(request, "authorization.Authorize")
        try:
            answer = await self._client.call(
                AuthorizationRpcs.AUTHORIZE, AuthorizeRequest(user=user, attributes=attributes), request.call
            )
        except HopError as error:
            hops.end(hop, error.code.name)
            raise stage_error(error) from error
        hops.end(hop, str(answer.decision), answer)
        return answer

    async def rules(self, request: RequestContext, user: UserInfo, namespace: str) -> RulesResponse:
        """List rules; an authorizer that cannot says so in the answer."""
        hop = hops.begin(request, "authorization.Rules")
        try:
            answer = await self._client.call(
                AuthorizationRpcs.RULES, RulesRequest(user=user, namespace=namespace), request.call
            )
        except HopError as error:
            hops.end(hop, error.code.name)
            if error.code is grpc.StatusCode.UNIMPLEMENTED:
                text = "the authorizer does not support listing rules"
                return RulesResponse(incomplete=True, evaluation_error=text)
            raise stage_error(error) from error
        hops.end(hop, "ok", answer)
        return answer

    async def check_escalation(
        self, request: RequestContext, user: UserInfo, namespace: str, rules: Sequence[str]
    ) -> CheckEscalationResponse:
        """Ask what is held; of an authorizer that cannot tell, nothing is."""
        hop = hops.begin(request, "authorization.CheckEscalation")
        message = CheckEscalationRequest(user=user, namespace=namespace, rules=rules)
        try:
            answer = await self._client.call(AuthorizationRpcs.CHECK_ESCALATION, message, request.call)
        except HopError as error:
            hops.end(hop, error.code.name)
            if error.code is grpc.StatusCode.UNIMPLEMENTED:
                return CheckEscalationResponse(reason="the authorizer does not tell which permissions are held")
            raise stage_error(error) from error
        hops.end(hop, "held" if answer.held else "lacking", answer)
        return answer


class AdmissionBackend:
    """The admission stage."""

    def __init__(self, client: StageClient) -> None:
        self._client = client

    async def mutate(self, request: RequestContext, attributes: AdmissionAttributes) -> MutateResponse:
        """Hop 3."""
        hop = hops.begin(request, "admission.Mutate")
        try:
            answer = await self._client.call(AdmissionRpcs.MUTATE, MutateRequest(attributes=attributes), request.call)
        except HopError as error:
            hops.end(hop, error.code.name)
            raise stage_error(error) from error
        hops.end(hop, str(answer.decision), answer)
        return answer

    async def validate(self, request: RequestContext, attributes: AdmissionAttributes) -> ValidateResponse:
        """Hop 4."""
        hop = hops.begin(request, "admission.Validate")
        try:
            answer = await self._client.call(
                AdmissionRpcs.VALIDATE, ValidateRequest(attributes=attributes), request.call
            )
        except HopError as error:
            hops.end(hop, error.code.name)
            raise stage_error(error) from error
        hops.end(hop, str(answer.decision), answer)
        return answer


_Collection = tuple[str, str, str, str, str, bool, bool]
_LARGE_KNOWN = 1024
_SMALL_AGAIN = 192 * 1024
"""Bytes below which a streamed list is tried in one answer the next time."""
_ASK_AGAIN_SECONDS = 60.0


def _collection(message: ListRequest) -> _Collection:
    """What a list is of, as far as its size depends on it."""
    key = message.key
    return (
        key.group,
        key.resource,
        key.namespace,
        message.label_selector,
        message.field_selector,
        message.limit > 0,
        bool(message.continue_token),
    )


class StorageBackend:
    """The storage stage."""

    def __init__(self, client: StageClient) -> None:
        self._client = client
        self._streams_until = 0.0
        """Until then every list is streamed: the stage does not offer lists in one answer."""
        self._large: set[_Collection] = set()
        """What did not fit into one answer the last time; asking again would be in vain."""

    async def get(self, request: RequestContext, key: Key, resource_version: str = "") -> GetResponse:
        """Hop 5 of a get."""
        hop = hops.begin(request, "storage.Get")
        try:
            answer = await self._client.call(
                StorageRpcs.GET, GetRequest(key=key, resource_version=resource_version), request.call
            )
        except HopError as error:
            hops.end(hop, error.reason or error.code.name)
            raise storage_error(error, key, "get") from error
        hops.end(hop, "ok", answer)
        return answer

    async def create(self, request: RequestContext, key: Key, obj: bytes, ttl_seconds: int = 0) -> CreateResponse:
        """Hop 5 of a create."""
        hop = hops.begin(request, "storage.Create")
        try:
            answer = await self._client.call(
                StorageRpcs.CREATE, CreateRequest(key=key, object=obj, ttl_seconds=ttl_seconds), request.call
            )
        except HopError as error:
            hops.end(hop, error.reason or error.code.name)
            raise storage_error(error, key, "create") from error
        hops.end(hop, "ok", answer)
        return answer

    async def update(
        self, request: RequestContext, key: Key, obj: bytes, expected_revision: int, ttl_seconds: int = 0
    ) -> UpdateResponse:
        """Hop 5 of an update, patch or apply."""
        hop = hops.begin(request, "storage.Update")
        message = UpdateRequest(key=key, object=obj, expected_revision=expected_revision, ttl_seconds=ttl_seconds)
        try:
            answer = await self._client.call(StorageRpcs.UPDATE, message, request.call)
        except HopError as error:
            hops.end(hop, error.reason or error.code.name)
            raise storage_error(error, key, "update") from error
        hops.end(hop, "unchanged" if answer.unchanged else "ok", answer)
        return answer

    async def delete(
        self, request: RequestContext, key: Key, expected_revision: int = 0, expected_uid: str = ""
    ) -> DeleteResponse:
        """Hop 5 of a delete."""
        hop = hops.begin(request, "storage.Delete")
        message = DeleteRequest(key=key, expected_revision=expected_revision, expected_uid=expected_uid)
        try:
            answer = await self._client.call(StorageRpcs.DELETE, message, request.call)
        except HopError as error:
            hops.end(hop, error.reason or error.code.name)
            raise storage_error(error, key, "delete") from error
        hops.end(hop, "ok", answer)
        return answer

    async def list(self, request: RequestContext, message: ListRequest) -> AsyncGenerator[ListResponse, None]:
        """Hop 5 of a list: in one answer where that is possible, else streamed."""
        hop = hops.begin(request, "storage.List")
        collection = _collection(message)
        try:
            if collection not in self._large and (page := await self._page(request, message)) is not None:
                if page.HasField("header"):
                    hops.end(hop, "ok", page.header)
                    yield ListResponse(header=page.header)
                    if page.count:
                        yield ListResponse(chunk=ListChunk(items=page.items, count=page.count))
                    return
                if len(self._large) >= _LARGE_KNOWN:
                    self._large.clear()
                self._large.add(collection)
            size = 0
            async for part in self._client.stream(StorageRpcs.LIST, message, request.call):
                size += len(part.chunk.items)
                yield part
            if size < _SMALL_AGAIN:
                self._large.discard(collection)
        except HopError as error:
            hops.end(hop, error.reason or error.code.name)
            raise storage_error(error, message.key, "list") from error
        hops.end(hop, "ok")

    async def _page(self, request: RequestContext, message: ListRequest) -> ListPageResponse | None:
        """Ask for a list in one answer; None where the stage does not offer that."""
        now = monotonic()
        if now < self._streams_until:
            return None
        try:
            return await self._client.call(StorageRpcs.LIST_PAGE, ListPageRequest(list=message), request.call)
        except HopError as error:
            if error.code is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            # a stage may be replaced by one that does
            self._streams_until = now + _ASK_AGAIN_SECONDS
            return None

    async def watch(self, request: RequestContext | None, message: WatchRequest) -> AsyncGenerator[WatchResponse, None]:
        """Hop 5 of a watch; it lasts until closed, so it carries no deadline."""
        hop = None if request is None else hops.begin(request, "storage.Watch")
        context = NO_CONTEXT if request is None else request.call
        try:
            async for part in self._client.stream(StorageRpcs.WATCH, message, context):
                yield part
        except HopError as error:
            hops.end(hop, error.reason or error.code.name)
            raise storage_error(error, message.key, "watch") from error
        hops.end(hop, "ended")

    async def revision(self, request: RequestContext | None) -> RevisionResponse:
        """Ask the store where it stands; linearizable, so it also shows that etcd answers."""
        context = NO_CONTEXT if request is None else request.call
        try:
            return await self._client.call(StorageRpcs.REVISION, RevisionRequest(), context)
        except HopError as error:
            raise stage_error(error) from error


@dataclass(frozen=True, slots=True)
class Backends:
    """The four stages as the gateway's parts see them."""

    authentication: Authenticator
    authorization: Authorizer
    admission: Admitter
    storage: Storage
