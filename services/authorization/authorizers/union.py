"""The authorizers in their order: the first allow or deny is the answer.

As kube-apiserver's pkg/authorization/union in v1.36: without a firm answer the reasons of all, one a line, are the
reason for the denial.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from time import perf_counter_ns
from typing import NamedTuple

from services.authorization.attributes import FIRM, Attributes, Authorizer, Evidence, Rules, Verdict, no_opinion


class Outcome(NamedTuple):
    """What the union decided, and how it came about."""

    authorizer: str
    """Name of the authorizer that decided; empty if none did."""
    verdict: Verdict
    evidence: Sequence[Evidence]


class _Progress:
    """What the authorizers asked so far have said."""

    __slots__ = ("_asked", "_evidence", "_reasons")

    def __init__(self) -> None:
        self._evidence: list[Evidence] = []
        self._reasons: list[str] = []
        self._asked = perf_counter_ns()

    def take(self, name: str, verdict: Verdict) -> Outcome | None:
        """Take a verdict; return the outcome if it is a firm one."""
        answered = perf_counter_ns()
        self._evidence.append(Evidence(name, verdict, (answered - self._asked) // 1000))
        self._asked = answered
        if verdict.decision in FIRM:
            return Outcome(name, verdict, self._evidence)
        if verdict.reason:
            self._reasons.append(verdict.reason)
        return None

    def undecided(self) -> Outcome:
        """Return the outcome when nobody was firm."""
        return Outcome("", no_opinion("\n".join(self._reasons)), self._evidence)


class Union:
    """Asks each authorizer in turn and keeps the evidence."""

    def __init__(self, chain: Sequence[Authorizer]) -> None:
        """Ask in the order of the chain."""
        self._chain = tuple(chain)

    @property
    def modes(self) -> tuple[str, ...]:
        """Names of the authorizers in their order."""
        return tuple(authorizer.name for authorizer in self._chain)

    def authorize(self, attributes: Attributes) -> Outcome | Awaitable[Outcome]:
        """Return the first firm answer, else the reasons of all."""
        return self._in_turn(0, attributes, _Progress())

    def _in_turn(self, first: int, attributes: Attributes, progress: _Progress) -> Outcome | Awaitable[Outcome]:
        chain = self._chain
        for position in range(first, len(chain)):
            authorizer = chain[position]
            answer = authorizer.authorize(attributes)
            if not isinstance(answer, Verdict):
                return self._wait(answer, position, attributes, progress)
            outcome = progress.take(authorizer.name, answer)
            if outcome is not None:
                return outcome
        return progress.undecided()

    async def _wait(
        self, answer: Awaitable[Verdict], position: int, attributes: Attributes, progress: _Progress
    ) -> Outcome:
        outcome = progress.take(self._chain[position].name, await answer)
        if outcome is not None:
            return outcome
        following = self._in_turn(position + 1, attributes, progress)
        return following if isinstance(following, Outcome) else await following

    def rules(self, username: str, groups: tuple[str, ...], namespace: str) -> Rules:
        """Join what every authorizer lists."""
        listed = [authorizer.rules(username, groups, namespace) for authorizer in self._chain]
        return Rules(
            [rule for rules in listed for rule in rules.resource_rules],
            [rule for rules in listed for rule in rules.non_resource_rules],
            any(rules.incomplete for rules in listed),
            [error for rules in listed for error in rules.errors],
        )
