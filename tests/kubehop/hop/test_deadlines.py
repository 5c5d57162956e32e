"""One timer for many deadlines."""

from __future__ import annotations

import asyncio
import math
import time

from kubehop.hop.deadlines import DeadlineWatch


async def test_rings_for_the_earliest_and_then_for_the_next() -> None:
    """Each deadline is swept soon after it has passed and never before, with few sweeps in all."""
    now = time.time()
    open_deadlines = {now + 0.02, now + 0.05, now + 0.08, now + 60}
    swept: list[tuple[float, float]] = []
    rings = 0

    def sweep(at: float) -> float:
        nonlocal rings
        rings += 1
        for deadline in [deadline for deadline in open_deadlines if deadline <= at]:
            open_deadlines.discard(deadline)
            swept.append((deadline, at))
        return min(open_deadlines, default=math.inf)

    watch = DeadlineWatch(sweep)
    for deadline in sorted(open_deadlines, reverse=True):
        watch.notice(deadline)
    await asyncio.sleep(0.2)
    watch.close()
    assert len(swept) == 3
    assert all(0 <= at - deadline < 0.05 for deadline, at in swept)
    assert rings <= 8


async def test_infinity_sets_no_timer() -> None:
    """Calls without a deadline cost no timer."""
    watch = DeadlineWatch(lambda _now: math.inf)
    watch.notice(math.inf)
    assert watch._timer is None
