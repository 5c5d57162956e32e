"""Bearer tokens: where a request carries one, and what is done when nobody knows it.

Two extractors share the token authenticators: the Authorization header (kube-apiserver's request/bearertoken) and,
for browsers which cannot set headers on a websocket, a subprotocol (request/websocket).
"""

from __future__ import annotations

import base64
import binascii

from kubehop.pb.authentication.v1 import DECISION_NO_OPINION, DECISION_REJECTED
from services.authentication.authenticators.union import TokenUnion
from services.authentication.identity import (
    Answer,
    Attempt,
    Credentials,
    Finding,
    Trail,
    aggregate,
    no_opinion,
    rejected,
    then,
)

SPACE_WARNING = "the provided Authorization header contains extra space before the bearer token, and is ignored"
INVALID_TOKEN = "invalid bearer token"  # noqa: S105 - kube-apiserver's error text
PROTOCOL_PREFIX = "base64url.bearer.authorization.k8s.io."

_GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What Go's strings.TrimSpace trims; Python's strip() takes four control characters more."""
_WEBSOCKET_UPGRADE = "upgrade"


def _ask(name: str, tokens: TokenUnion, token: str, credentials: Credentials, trail: Trail) -> Answer:
    """Ask the token authenticators; a token that none of them knows is a rejection, not a missing credential."""

    def settle(finding: Finding) -> Finding:
        if finding.decision == DECISION_REJECTED:
            # kube-apiserver asks its own loopback token first, whose opinion of the others' is in every rejection
            return finding._replace(reason=aggregate((INVALID_TOKEN, finding.reason)))
        if finding.decision != DECISION_NO_OPINION:
            return finding
        unknown = rejected(INVALID_TOKEN)
        trail.append(Attempt(name, unknown.decision, unknown.reason, 0))
        return unknown

    return then(tokens.authenticate_token(token, credentials, trail), settle)


class BearerTokenAuthenticator:
    """Takes the token of `Authorization: Bearer <token>`; the scheme's case does not matter."""

    name = "bearer"

    def __init__(self, tokens: TokenUnion) -> None:
        """Ask these about the token."""
        self._tokens = tokens

    def authenticate(self, credentials: Credentials, trail: Trail) -> Answer:
        """Authenticate the first Authorization header; others are ignored as kube-apiserver ignores them."""
        header = credentials.header("authorization").strip(_GO_SPACE)
        parts = header.split(" ", 2)
        if len(parts) < 2 or parts[0].lower() != "bearer":
            finding = no_opinion("no bearer token" if header else "no Authorization header")
        elif not parts[1]:
            finding = no_opinion("empty bearer token", (SPACE_WARNING,) if len(parts) == 3 else ())
        else:
            return _ask(self.name, self._tokens, parts[1], credentials, trail)
        trail.append(Attempt(self.name, finding.decision, finding.reason, 0))
        return finding


class WebsocketTokenAuthenticator:
    """Takes the token out of a websocket's subprotocols."""

    name = "websocket"

    def __init__(self, tokens: TokenUnion) -> None:
        """Ask these about the token."""
        self._tokens = tokens

    def authenticate(self, credentials: Credentials, trail: Trail) -> Answer:
        """Authenticate a websocket request whose subprotocols carry a token beside at least one real protocol."""
        if "sec-websocket-protocol" not in credentials.headers or not _is_websocket(credentials):
            return no_opinion("not a websocket request")
        finding = self._extract(credentials)
        if isinstance(finding, str):
            return _ask(self.name, self._tokens, finding, credentials, trail)
        trail.append(Attempt(self.name, finding.decision, finding.reason, 0))
        return finding

    def _extract(self, credentials: Credentials) -> str | Finding:
        token: str | None = None
        others = 0
        for header in credentials.headers["sec-websocket-protocol"]:
            for item in header.split(","):
                protocol = item.strip(_GO_SPACE)
                if not protocol.startswith(PROTOCOL_PREFIX):
                    others += 1
                    continue
                if token is not None:
                    return rejected("multiple base64.bearer.authorization tokens specified")
                try:
                    token = _decode(protocol.removeprefix(PROTOCOL_PREFIX))
                except UnicodeDecodeError:
                    return rejected("invalid base64.bearer.authorization token")
                except ValueError:
                    return rejected("invalid base64.bearer.authorization token encoding")
        if not token:
            return no_opinion("no token among the websocket protocols")
        # the protocol with the token is not echoed, so that there must be another one to agree on
        return token if others else rejected("missing additional subprotocol")


def _is_websocket(credentials: Credentials) -> bool:
    connection = ",".join(credentials.headers.get("connection", ())).lower()
    tokens = {token.strip() for token in connection.split(",")}
    return credentials.header("upgrade").lower() == "websocket" and _WEBSOCKET_UPGRADE in tokens


def _decode(encoded: str) -> str:
    """Decode unpadded base64url; raise ValueError for anything else."""
    if "=" in encoded or "+" in encoded or "/" in encoded:
        raise ValueError("not unpadded base64url")
    try:
        raw = base64.b64decode(encoded.encode("ascii") + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64url") from error
    return raw.decode("utf-8")
