"""The chain of authenticators in kube-apiserver's order.

As kube-apiserver's request/union: every authenticator is asked until one names a user; a rejection does not end the
chain (a client with an expired certificate may still hold a good token), but if nobody names a user it is the answer,
and anonymous is not asked at all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED, DECISION_REJECTED
from services.authentication.authenticators.groups import AuthenticatedGroupAdder
from services.authentication.identity import (
    Answer,
    Authenticator,
    Credentials,
    Finding,
    TokenAuthenticator,
    Trail,
    aggregate,
    attempt,
    no_opinion,
    rejected,
)

NOBODY = "no credential was recognised"


class Union:
    """Asks each authenticator in turn."""

    name = "union"

    def __init__(self, chain: Sequence[Authenticator], *, fail_on_error: bool = False) -> None:
        """Ask in the order of the chain; with fail_on_error the first rejection is the answer."""
        self._chain = tuple(chain)
        self._fail_on_error = fail_on_error

    def authenticate(self, credentials: Credentials, trail: Trail) -> Answer:
        """Return the first user found, else the rejections, else no opinion."""
        return _in_turn(
            [partial(authenticator.authenticate, credentials, trail) for authenticator in self._chain],
            _Heard(self._fail_on_error),
        )


class TokenUnion:
    """Asks each token authenticator in turn; the extractors of bearer tokens share one."""

    def __init__(self, chain: Sequence[TokenAuthenticator]) -> None:
        """Ask in the order of the chain."""
        self._chain = tuple(chain)

    def authenticate_token(self, token: str, credentials: Credentials, trail: Trail) -> Answer:
        """Return the first user found, else the rejections, else no opinion."""
        asked = []
        for authenticator in self._chain:
            ask = partial(authenticator.authenticate_token, token, credentials)
            asked.append(partial(attempt, authenticator.name, ask, trail))
        return _in_turn(asked, _Heard(fail_on_error=False))


class _Heard:
    """What the authenticators said so far, and what follows from it."""

    __slots__ = ("_fail_on_error", "_reasons", "_warnings")

    def __init__(self, fail_on_error: bool) -> None:
        self._fail_on_error = fail_on_error
        self._reasons: list[str] = []
        self._warnings: tuple[str, ...] = ()

    def take(self, finding: Finding) -> Finding | None:
        """Take a finding; return the answer if it settles the matter."""
        if finding.warnings:
            self._warnings += finding.warnings
        if finding.decision == DECISION_AUTHENTICATED:
            return finding._replace(warnings=self._warnings) if self._warnings else finding
        if finding.decision == DECISION_REJECTED:
            if self._fail_on_error:
                return finding._replace(warnings=self._warnings)
            self._reasons.append(finding.reason)
        return None

    def nobody(self) -> Finding:
        """Return the answer when nobody named a user."""
        if self._reasons:
            return rejected(aggregate(self._reasons))._replace(warnings=self._warnings)
        return no_opinion(NOBODY, self._warnings)


def _in_turn(asked: Sequence[Callable[[], Answer]], heard: _Heard) -> Answer:
    """Ask until the matter is settled, without waiting as long as nobody needs to be waited for."""
    for position, ask in enumerate(asked):
        answer = ask()
        if not isinstance(answer, Finding):
            return _wait(answer, asked[position + 1 :], heard)
        settled = heard.take(answer)
        if settled is not None:
            return settled
    return heard.nobody()


async def _wait(answer: Awaitable[Finding], rest: Sequence[Callable[[], Answer]], heard: _Heard) -> Finding:
    settled = heard.take(await answer)
    if settled is not None:
        return settled
    following = _in_turn(rest, heard)
    return following if isinstance(following, Finding) else await following


def compose(credentials: Sequence[Authenticator], anonymous: Authenticator | None) -> Authenticator:
    """Build the whole chain: the authenticators, the authenticated group around them, anonymous behind them."""
    if not credentials:
        return Union([anonymous] if anonymous else [])
    union: Authenticator = AuthenticatedGroupAdder(Union(credentials))
    return Union([union, anonymous], fail_on_error=True) if anonymous else union
