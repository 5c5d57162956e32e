"""Bootstrap tokens, by which new nodes ask for their first certificate: secrets bootstrap-token-<id> in kube-system.

As kube-apiserver's plugin/pkg/auth/authenticator/token/bootstrap.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.authentication.claims import Objects, secret_data
from services.authentication.identity import Answer, Credentials, Finding, User, authenticated, no_opinion

TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")
SECRET_TYPE = "bootstrap.kubernetes.io/token"  # noqa: S105 - a type
DEFAULT_GROUP = "system:bootstrappers"
_NONE = "no such bootstrap token"

Object = Mapping[str, Any]


class BootstrapTokenAuthenticator:
    """Looks bootstrap tokens up in their secrets; agnostic of audiences."""

    name = "bootstrap-token"

    def __init__(
        self, objects: Objects, api_audiences: tuple[str, ...], clock: Callable[[], float] = time.time
    ) -> None:
        """Read secrets from these objects; answer for these audiences of the API server."""
        self._objects = objects
        self._api_audiences = api_audiences
        self._clock = clock

    def authenticate_token(self, token: str, credentials: Credentials) -> Answer:
        """Name the bootstrapper of a token."""
        match = TOKEN.fullmatch(token)
        if match is None:
            return no_opinion("not a bootstrap token")
        audiences = tuple(audience for audience in credentials.audiences if audience in self._api_audiences)
        if credentials.audiences and not audiences:
            return no_opinion("bootstrap tokens serve none of the audiences asked for")
        return self._look_up(match[1], match[2], audiences)

    async def _look_up(self, token_id: str, secret: str, audiences: tuple[str, ...]) -> Finding:
        found = await self._objects.get("secrets", "kube-system", f"bootstrap-token-{token_id}")
        if found is None:
            return no_opinion(_NONE)
        if problem := self._problem(found, token_id, secret):
            return no_opinion(problem)
        groups = _groups(found)
        if groups is None:
            return no_opinion("the bootstrap token names a group that is no bootstrappers'")
        return authenticated(User(f"system:bootstrap:{token_id}", groups=groups), audiences)

    def _problem(self, obj: Object, token_id: str, secret: str) -> str:
        """Say why a secret does not make the token good; all of it is the same to the client."""
        if obj.get("type") != SECRET_TYPE or (obj.get("metadata") or {}).get("deletionTimestamp"):
            return _NONE
        if not hmac.compare_digest(secret_data(obj, "token-secret"), secret.encode()):
            return _NONE
        if secret_data(obj, "token-id") != token_id.encode():
            return _NONE
        expiration = secret_data(obj, "expiration").decode("utf-8", "replace")
        if expiration and self._expired(expiration):
            return "the bootstrap token has expired"
        if secret_data(obj, "usage-bootstrap-authentication") != b"true":
            return "the bootstrap token is not for authentication"
        return ""

    def _expired(self, expiration: str) -> bool:
        try:
            moment = datetime.fromisoformat(expiration)
        except ValueError:
            return True  # a time that cannot be read has passed
        return moment.tzinfo is None or moment.timestamp() <= self._clock()


def _groups(obj: Object) -> tuple[str, ...] | None:
    """Return the groups of a token; None where one of them is not a bootstrappers' group."""
    extra = [
        group for group in secret_data(obj, "auth-extra-groups").decode("utf-8", "replace").split(",") if group.strip()
    ]
    if not all(GROUP.fullmatch(group) for group in extra):
        return None
    return (DEFAULT_GROUP, *sorted(set(extra)))
