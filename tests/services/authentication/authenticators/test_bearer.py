"""Where bearer tokens are found, and what happens when nobody knows them."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest

from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED, DECISION_NO_OPINION, DECISION_REJECTED
from services.authentication.authenticators.bearer import (
    PROTOCOL_PREFIX,
    SPACE_WARNING,
    BearerTokenAuthenticator,
    WebsocketTokenAuthenticator,
)
from services.authentication.authenticators.union import TokenUnion
from services.authentication.identity import Credentials, Finding, Trail, User, authenticated, no_opinion


class OneToken:
    """Knows one token."""

    name = "one"

    def authenticate_token(self, token: str, credentials: Credentials) -> Finding:
        return authenticated(User("alice")) if token == "good" else no_opinion("unknown")


TOKENS = TokenUnion([OneToken()])


def ask(authenticator, headers: dict[str, list[str]]) -> tuple[Finding, Trail]:
    trail: Trail = []
    return authenticator.authenticate(Credentials((), headers, "GET", "/", ()), trail), trail


@pytest.mark.parametrize(
    "header", ["Bearer good", "bearer good", "BEARER good", "  Bearer good  ", "Bearer good and more"]
)
def test_the_token_of_the_authorization_header(header: str) -> None:
    """The scheme's case and the space around do not matter; what follows the token is ignored."""
    finding, _ = ask(BearerTokenAuthenticator(TOKENS), {"authorization": [header]})
    assert finding.decision == DECISION_AUTHENTICATED


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "Bearer\tgood", "good"])
def test_no_token_is_no_opinion(header: str) -> None:
    """Other schemes and empty tokens are no credentials for this authenticator."""
    finding, _ = ask(BearerTokenAuthenticator(TOKENS), {"authorization": [header]})
    assert finding.decision == DECISION_NO_OPINION
    assert finding.warnings == ()


def test_two_spaces_before_the_token_are_warned_about() -> None:
    """The token behind two spaces is ignored, and the client is told."""
    finding, _ = ask(BearerTokenAuthenticator(TOKENS), {"authorization": ["Bearer  good"]})
    assert finding.decision == DECISION_NO_OPINION
    assert finding.warnings == (SPACE_WARNING,)


def test_an_unknown_token_is_rejected_with_the_evidence_of_all_who_were_asked() -> None:
    """A token that nobody knows is a wrong credential; the trail tells who was asked and never the token."""
    finding, trail = ask(BearerTokenAuthenticator(TOKENS), {"authorization": ["Bearer hunter2"]})
    assert finding.decision == DECISION_REJECTED
    assert finding.reason == "invalid bearer token"
    assert [(attempt.authenticator, attempt.decision) for attempt in trail] == [
        ("one", DECISION_NO_OPINION),
        ("bearer", DECISION_REJECTED),
    ]
    assert "hunter2" not in repr(trail)


def test_only_the_first_header_counts() -> None:
    """As Go's Header.Get: a second Authorization header is never looked at."""
    headers = {"authorization": ["Bearer bad", "Bearer good"]}
    assert ask(BearerTokenAuthenticator(TOKENS), headers)[0].decision == DECISION_REJECTED


def protocol(token: str) -> str:
    return PROTOCOL_PREFIX + urlsafe_b64encode(token.encode()).decode().rstrip("=")


def websocket(*protocols: str, upgrade: str = "websocket") -> dict[str, list[str]]:
    return {"upgrade": [upgrade], "connection": ["keep-alive, Upgrade"], "sec-websocket-protocol": list(protocols)}


@pytest.mark.parametrize(
    "headers", [websocket(f"{protocol('good')}, v4.channel.k8s.io"), websocket("v4.channel.k8s.io", protocol("good"))]
)
def test_the_token_of_a_websocket(headers: dict[str, list[str]]) -> None:
    """The token is one protocol among others, in one header or several."""
    assert ask(WebsocketTokenAuthenticator(TOKENS), headers)[0].decision == DECISION_AUTHENTICATED


@pytest.mark.parametrize(
    "headers",
    [
        {},
        websocket("v4.channel.k8s.io"),
        websocket(f"{protocol('good')}, x", upgrade="h2c"),
        {"sec-websocket-protocol": [f"{protocol('good')}, x"]},
    ],
)
def test_what_is_no_websocket_with_a_token_is_no_opinion(headers: dict[str, list[str]]) -> None:
    """Plain requests and websockets without token are left alone."""
    assert ask(WebsocketTokenAuthenticator(TOKENS), headers)[0].decision == DECISION_NO_OPINION


@pytest.mark.parametrize(
    ("protocols", "problem"),
    [
        (protocol("good"), "missing additional subprotocol"),
        (f"{protocol('good')},{protocol('good')},x", "multiple base64.bearer.authorization tokens specified"),
        (f"{PROTOCOL_PREFIX}Z29vZA==,x", "invalid base64.bearer.authorization token encoding"),
        (f"{PROTOCOL_PREFIX}!,x", "invalid base64.bearer.authorization token encoding"),
        (f"{PROTOCOL_PREFIX}gA,x", "invalid base64.bearer.authorization token"),
        (f"{protocol('bad')},x", "invalid bearer token"),
    ],
)
def test_a_bad_websocket_token_is_rejected(protocols: str, problem: str) -> None:
    """Reasons are word for word those of kube-apiserver."""
    finding, _ = ask(WebsocketTokenAuthenticator(TOKENS), websocket(protocols))
    assert finding.decision == DECISION_REJECTED
    assert finding.reason == problem
