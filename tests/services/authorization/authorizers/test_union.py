"""The order of authorizers, and the simple ones among them."""

from __future__ import annotations

import asyncio
import inspect

from kubehop.pb.authorization.v1 import DECISION_ALLOW, DECISION_DENY, DECISION_NO_OPINION
from services.authorization.attributes import ALLOW, Answer, Attributes, Rules, Verdict, no_opinion
from services.authorization.authorizers.always_allow import AlwaysAllow
from services.authorization.authorizers.always_deny import AlwaysDeny
from services.authorization.authorizers.privileged import PrivilegedGroup
from services.authorization.authorizers.union import Outcome, Union
from tests.services.authorization.policies import ask


class Fixed:
    """Answers what it is told to, at once or later."""

    def __init__(self, verdict: Verdict, name: str = "fixed", *, later: bool = False) -> None:
        self.name = name
        self.verdict = verdict
        self.later = later

    def authorize(self, attributes: Attributes) -> Answer:
        return self._later() if self.later else self.verdict

    async def _later(self) -> Verdict:
        await asyncio.sleep(0)
        return self.verdict

    def rules(self, username: str, groups: tuple[str, ...], namespace: str) -> Rules:
        return Rules(incomplete=True, errors=(f"{self.name} cannot",))


async def decide(*chain, groups: tuple[str, ...] = ()) -> Outcome:
    answer = Union(chain).authorize(ask("get", "pods", groups=groups))
    return await answer if inspect.isawaitable(answer) else answer


async def test_the_first_firm_answer_decides() -> None:
    """An allow or a deny ends it; evidence has all who were asked."""
    deny = Fixed(Verdict(DECISION_DENY, "no"), "denier")
    outcome = await decide(Fixed(no_opinion("hm"), "first"), deny, AlwaysAllow())
    assert (outcome.authorizer, outcome.verdict.decision, outcome.verdict.reason) == ("denier", DECISION_DENY, "no")
    assert [each.authorizer for each in outcome.evidence] == ["first", "denier"]


async def test_without_a_firm_answer_all_reasons_are_told() -> None:
    """No opinion at the end, with the reasons of all on a line each, as in v1.36."""
    outcome = await decide(Fixed(no_opinion("one")), Fixed(no_opinion("")), AlwaysDeny())
    assert outcome.authorizer == ""
    assert outcome.verdict.decision == DECISION_NO_OPINION
    assert outcome.verdict.reason == "one\nEverything is forbidden."


async def test_an_authorizer_that_takes_time_keeps_its_place() -> None:
    """Waiting for one changes nothing about the order."""
    late = Fixed(no_opinion("late"), "late", later=True)
    outcome = await decide(late, AlwaysDeny(), late, AlwaysAllow())
    assert outcome.verdict.decision == DECISION_ALLOW
    assert [each.authorizer for each in outcome.evidence] == ["late", "AlwaysDeny", "late", "AlwaysAllow"]
    assert (await decide(Fixed(ALLOW, later=True))).verdict is ALLOW
    assert (await decide(late, late)).verdict.reason == "late\nlate"


async def test_system_masters_may_do_anything() -> None:
    """The privileged group passes whatever follows."""
    assert (await decide(PrivilegedGroup(), AlwaysDeny(), groups=("system:masters",))).verdict is ALLOW
    assert (await decide(PrivilegedGroup(), AlwaysDeny(), groups=("masters",))).verdict.decision != DECISION_ALLOW


def test_rules_of_all_are_joined() -> None:
    """One authorizer that cannot list makes the whole incomplete."""
    rules = Union([PrivilegedGroup(), AlwaysAllow(), AlwaysDeny(), Fixed(ALLOW, "webhook")]).rules("u", (), "ns")
    assert [list(each.verbs) for each in rules.resource_rules] == [["*"]]
    assert [list(each.non_resource_urls) for each in rules.non_resource_rules] == [["*"]]
    assert rules.incomplete
    assert list(rules.errors) == ["webhook cannot"]
