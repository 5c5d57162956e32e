"""The contract kubehop.authentication.v1, spoken over the chain of authenticators.

`kubehop.hop.server` calls it for each request of the gateway; it hands `Credentials` to the chain and turns the
finding and the trail into the answer. Answers at once wherever the chain can.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence

import grpc

from kubehop.hop.calls import Call
from kubehop.hop.errors import HopError
from kubehop.pb.authentication.v1 import (
    DECISION_AUTHENTICATED,
    DECISION_NO_OPINION,
    DECISION_REJECTED,
    AuthenticateRequest,
    AuthenticateResponse,
    DescribeIssuerRequest,
    DescribeIssuerResponse,
    ExtraValues,
    IssueTokenRequest,
    IssueTokenResponse,
    ObjectReference,
    UserInfo,
)
from kubehop.pb.authentication.v1 import Attempt as AttemptMessage
from services.authentication.identity import Authenticator, Credentials, Finding, PerUser, Trail, User
from services.authentication.issuer import MAX_AGE_SECONDS, Reference, TokenIssuer, Wanted

VERDICTS = {DECISION_AUTHENTICATED: "authenticated", DECISION_REJECTED: "rejected", DECISION_NO_OPINION: "no-opinion"}


class AuthenticationServicer:
    """Speaks Authenticate, IssueToken and DescribeIssuer."""

    def __init__(self, chain: Authenticator, api_audiences: tuple[str, ...], issuer: TokenIssuer | None = None) -> None:
        """Ask this chain; requests that name no audience ask for the API server's. The issuer signs tokens."""
        self._chain = chain
        self._issuer = issuer
        self._api_audiences = api_audiences
        self._message = PerUser(_message)

    def authenticate(
        self, request: AuthenticateRequest, call: Call
    ) -> AuthenticateResponse | Awaitable[AuthenticateResponse]:
        """Decide whose request this is; a bad credential is an answer, not an error."""
        trail: Trail = []
        credentials = Credentials(
            request.peer_certificates,
            _by_name(request),
            request.method,
            request.path,
            tuple(request.audiences) or self._api_audiences,
        )
        answer = self._chain.authenticate(credentials, trail)
        if isinstance(answer, Finding):
            return self._response(answer, trail, call)
        return self._later(answer, trail, call)

    def issue_token(self, request: IssueTokenRequest, call: Call) -> IssueTokenResponse:
        """Sign a token. Raises HopError FAILED_PRECONDITION without a key, INVALID_ARGUMENT for half a question."""
        if self._issuer is None:
            raise HopError(grpc.StatusCode.FAILED_PRECONDITION, "there is no key to sign tokens with")
        account = _reference(request.service_account)
        if account is None or not (account.uid and request.namespace and request.expiration_seconds > 0):
            text = "a token needs namespace, name and uid of its service account, and an expiration"
            raise HopError(grpc.StatusCode.INVALID_ARGUMENT, text)
        issued = self._issuer.issue(
            Wanted(
                namespace=request.namespace,
                account=account,
                expiration_seconds=request.expiration_seconds,
                audiences=tuple(request.audiences),
                pod=_reference(request.pod),
                secret=_reference(request.secret),
                node=_reference(request.node),
            )
        )
        call.log(verdict="issued", account=f"{request.namespace}/{account.name}", seconds=issued.expiration_seconds)
        return IssueTokenResponse(
            token=issued.token,
            audiences=issued.audiences,
            expiration_seconds=issued.expiration_seconds,
            issued_unix=issued.issued,
            warnings=issued.warnings,
        )

    def describe_issuer(self, request: DescribeIssuerRequest, call: Call) -> DescribeIssuerResponse:  # noqa: ARG002
        """Return the public documents of the issuer; empty without one."""
        call.log()
        if self._issuer is None:
            return DescribeIssuerResponse()
        configuration, key_set = self._issuer.documents()
        return DescribeIssuerResponse(configuration=configuration, key_set=key_set, max_age_seconds=MAX_AGE_SECONDS)

    async def _later(self, answer: Awaitable[Finding], trail: Trail, call: Call) -> AuthenticateResponse:
        return self._response(await answer, trail, call)

    def _response(self, finding: Finding, trail: Trail, call: Call) -> AuthenticateResponse:
        response = AuthenticateResponse(
            decision=finding.decision,
            audiences=finding.audiences,
            # who decided is who was asked last
            authenticator=trail[-1].authenticator if trail else "",
            reason=finding.reason,
            attempts=[
                AttemptMessage(authenticator=name, decision=decision, reason=reason, duration_us=duration)
                for name, decision, reason, duration in trail
            ],
            warnings=finding.warnings,
        )
        if finding.user is not None:
            response.user.CopyFrom(self._message(finding.user))
            call.log(verdict="authenticated", user=finding.user.username, by=response.authenticator)
        else:
            call.log(verdict=VERDICTS[finding.decision], because=finding.reason)
        return response


def _reference(sent: ObjectReference) -> Reference | None:
    return Reference(sent.name, sent.uid) if sent.name else None


def _message(user: User) -> UserInfo:
    return UserInfo(
        username=user.username,
        uid=user.uid,
        groups=user.groups,
        extra={key: ExtraValues(values=values) for key, values in user.extra.items()},
    )


def _by_name(request: AuthenticateRequest) -> Mapping[str, Sequence[str]]:
    headers: dict[str, list[str]] = {}
    for header in request.headers:
        headers.setdefault(header.name.lower(), []).append(header.value)
    return headers
