"""Is a concurrent history of one register linearizable? Wing and Gong's search with memory of what has been tried.

A register is read and compared-and-set. An operation whose outcome nobody learned may take effect at any time after
its call, or never. No package of the registries does this for Python, and for registers it is a page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One call on the register, with unique values for writes."""

    called: float
    returned: float
    """Infinity where the outcome is not known."""
    kind: str
    """"read": `new` was read. "set": `old` was replaced by `new`. "refused": the register did not hold `old`."""
    new: str = ""
    old: str = ""

    def after(self, state: str) -> str | None:
        """The register's value after it; None where it could not have happened in this state."""
        if self.kind == "read":
            return state if state == self.new else None
        if self.kind == "refused":
            return state if state != self.old else None
        return self.new if state == self.old else None


def linearizable(history: Sequence[Operation], initial: str) -> bool:
    """Whether some order, in which each operation lies between its call and its return, explains every answer."""
    operations = sorted(history, key=lambda operation: operation.called)
    certain = sum(1 << i for i, operation in enumerate(operations) if operation.returned != math.inf)
    tried: set[tuple[int, str]] = set()
    pending = [(0, initial)]
    while pending:
        done, state = pending.pop()
        if done & certain == certain:
            return True
        if (done, state) in tried:
            continue
        tried.add((done, state))
        rest = [i for i in range(len(operations)) if not done >> i & 1]
        first_return = min(operations[i].returned for i in rest)
        for i in rest:
            if operations[i].called > first_return:
                break
            after = operations[i].after(state)
            if after is not None:
                pending.append((done | 1 << i, after))
    return False
