"""The order of authenticators: who is asked, who decides, when anonymous is."""

from __future__ import annotations

import asyncio
import inspect

from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED, DECISION_NO_OPINION, DECISION_REJECTED
from services.authentication.authenticators.anonymous import AnonymousAuthenticator
from services.authentication.authenticators.union import compose
from services.authentication.identity import (
    Answer,
    Credentials,
    Finding,
    Trail,
    User,
    authenticated,
    no_opinion,
    rejected,
)


class Fixed:
    """Answers what it is told to, at once or later."""

    name = "fixed"

    def __init__(self, finding: Finding, *, later: bool = False) -> None:
        self.finding = finding
        self.later = later
        self.asked = 0

    def authenticate(self, credentials: Credentials, trail: Trail) -> Answer:
        self.asked += 1
        return self._later() if self.later else self.finding

    async def _later(self) -> Finding:
        await asyncio.sleep(0)
        return self.finding


ALICE = authenticated(User("alice", groups=("dev",)))


async def ask(*chain: Fixed, anonymous: AnonymousAuthenticator | None = None, path: str = "/") -> Finding:
    answer = compose(chain, anonymous).authenticate(Credentials((), {}, "GET", path, ("api",)), [])
    return await answer if inspect.isawaitable(answer) else answer


async def test_the_first_user_is_the_answer_with_the_authenticated_group() -> None:
    """Later authenticators are not asked; the user is one of system:authenticated."""
    last = Fixed(ALICE)
    finding = await ask(Fixed(no_opinion("")), Fixed(ALICE), last)
    assert finding.user == User("alice", groups=("dev", "system:authenticated"))
    assert last.asked == 0


async def test_a_rejection_does_not_stop_the_others() -> None:
    """A bad certificate beside a good token still lets in."""
    assert (await ask(Fixed(rejected("expired")), Fixed(ALICE))).decision == DECISION_AUTHENTICATED


async def test_a_rejection_keeps_anonymous_out() -> None:
    """A wrong credential is never taken for none; the reasons are joined as Go's aggregate does."""
    finding = await ask(
        Fixed(rejected("one")), Fixed(rejected("two")), Fixed(rejected("one")), anonymous=AnonymousAuthenticator()
    )
    assert finding.decision == DECISION_REJECTED
    assert finding.reason == "[one, two]"


async def test_without_credentials_the_user_is_anonymous() -> None:
    """Nobody had an opinion: system:anonymous, of system:unauthenticated alone."""
    finding = await ask(Fixed(no_opinion("", ("careful",))), anonymous=AnonymousAuthenticator())
    assert finding.user == User("system:anonymous", groups=("system:unauthenticated",))
    assert finding.audiences == ("api",)
    assert finding.warnings == ("careful",)


async def test_without_anonymous_nobody_is_no_opinion() -> None:
    """The gateway answers 401."""
    assert (await ask(Fixed(no_opinion("")))).decision == DECISION_NO_OPINION
    assert (await ask()).decision == DECISION_NO_OPINION


async def test_anonymous_alone_lets_everybody_in() -> None:
    """With no authenticator configured at all, as kube-apiserver."""
    assert (await ask(anonymous=AnonymousAuthenticator())).decision == DECISION_AUTHENTICATED


async def test_anonymous_on_some_paths_only() -> None:
    """With conditions, other paths need credentials."""
    some = AnonymousAuthenticator(frozenset({"/livez"}))
    assert (await ask(anonymous=some, path="/livez")).decision == DECISION_AUTHENTICATED
    assert (await ask(anonymous=some, path="/version")).decision == DECISION_NO_OPINION


async def test_system_groups_are_not_added_twice() -> None:
    """A user who brings one of the two system groups keeps the groups as they are."""
    brought = authenticated(User("x", groups=("system:unauthenticated",)))
    finding = await ask(Fixed(brought))
    assert finding.user is not None
    assert finding.user.groups == ("system:unauthenticated",)


async def test_authenticators_that_take_time_keep_their_place() -> None:
    """Waiting for one changes nothing about the order or the rest."""
    late, last = Fixed(no_opinion(""), later=True), Fixed(ALICE)
    finding = await ask(Fixed(rejected("bad")), late, last)
    assert finding.user is not None
    assert (late.asked, last.asked) == (1, 1)
    rejection = await ask(Fixed(rejected("bad"), later=True), late, anonymous=AnonymousAuthenticator())
    assert rejection.decision == DECISION_REJECTED
