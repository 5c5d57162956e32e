"""Asking the authorization stage: whether somebody may do what a plugin makes a condition.

Made by `__main__`; plugins get it when they are built. A stage that cannot decide fails the request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kubehop.hop.calls import CallContext
from kubehop.hop.client import StageClient
from kubehop.pb.authentication.v1 import UserInfo
from kubehop.pb.authorization.v1 import DECISION_ALLOW, Attributes, AuthorizationRpcs, AuthorizeRequest


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer of the authorization stage."""

    allowed: bool
    reason: str = ""


class Authorizer(Protocol):
    """The authorization stage, for plugins."""

    async def authorize(self, user: UserInfo, action: Attributes) -> Verdict:
        """Say whether a user may do something. HopError when the stage cannot decide."""


class StageAuthorizer:
    """The stage behind a client."""

    def __init__(self, stage: StageClient) -> None:
        self._stage = stage

    async def authorize(self, user: UserInfo, action: Attributes) -> Verdict:
        """See `Authorizer`."""
        request = AuthorizeRequest(user=user, attributes=action)
        answer = await self._stage.call(AuthorizationRpcs.AUTHORIZE, request, CallContext())
        return Verdict(answer.decision == DECISION_ALLOW, answer.reason)


async def may_use_signer(authorizer: Authorizer, user: UserInfo, verb: str, signer: str) -> bool:
    """Whether a user may approve, sign or attest for a signer, by its name or for its whole domain.

    pkg/certauthorization, IsAuthorizedForSignerName.
    """
    domain, slash, _ = signer.partition("/")
    for name in (signer, f"{domain}/*") if slash else (signer,):
        action = Attributes(
            verb=verb,
            resource_request=True,
            api_group="certificates.k8s.io",
            api_version="*",
            resource="signers",
            name=name,
        )
        if (await authorizer.authorize(user, action)).allowed:
            return True
    return False
