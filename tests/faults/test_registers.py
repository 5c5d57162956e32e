"""The linearizability checker itself: it accepts what may have happened and refuses what cannot have."""

from __future__ import annotations

import math

import pytest

from tests.faults.registers import Operation, linearizable

ACCEPTED = {
    "nothing": [],
    "in order": [Operation(0, 1, "set", "a", "0"), Operation(2, 3, "read", "a")],
    "a read beside a write sees either": [
        Operation(0, 5, "set", "a", "0"),
        Operation(1, 2, "read", "0"),
        Operation(3, 4, "read", "a"),
    ],
    "refused after another was first": [Operation(0, 5, "set", "a", "0"), Operation(1, 6, "refused", old="0")],
    "an unknown write seen much later": [
        Operation(0, math.inf, "set", "a", "0"),
        Operation(5, 6, "read", "0"),
        Operation(7, 8, "read", "a"),
    ],
    "an unknown write never seen": [Operation(0, math.inf, "set", "a", "0"), Operation(5, 6, "set", "b", "0")],
}
REFUSED = {
    "a stale read": [Operation(0, 1, "set", "a", "0"), Operation(2, 3, "read", "0")],
    "reads that go back": [
        Operation(0, 9, "set", "a", "0"),
        Operation(1, 2, "read", "a"),
        Operation(3, 4, "read", "0"),
    ],
    "a lost update": [Operation(0, 1, "set", "a", "0"), Operation(2, 3, "set", "b", "0")],
    "a value that nobody wrote": [Operation(0, 1, "read", "x")],
    "refused for no reason": [Operation(0, 1, "refused", old="0")],
    "an unknown write before its call": [Operation(0, 1, "read", "a"), Operation(2, math.inf, "set", "a", "0")],
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepts(name: str) -> None:
    """A history that some order explains is linearizable."""
    assert linearizable(ACCEPTED[name], "0")


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str) -> None:
    """A history that no order explains is not."""
    assert not linearizable(REFUSED[name], "0")
