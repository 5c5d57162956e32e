"""EventRateLimit: buckets by server, namespace, user and thing."""

from __future__ import annotations

from typing import Any

import pytest

from kubehop.machinery.status import StatusError
from services.admission.plugins.event_rate_limit import EventRateLimit, Limit
from tests.services.admission.pods import refusal
from tests.services.admission.requests import create


class Clock:
    """Time that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def event(about: str = "p", **rest: Any) -> Any:
    obj = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": about}}
    return create("events", obj, **{"namespace": "ns", **rest})


async def test_bursts_and_the_long_run() -> None:
    """So many at once, then so many a second; the refusal is 429."""
    clock = Clock()
    plugin = EventRateLimit([Limit("Server", qps=2, burst=3)], clock=clock)
    answers = [await refusal(plugin.validate, event()) for _ in range(4)]
    assert answers == ["", "", "", "limit reached on type Server for key "]
    clock.now = 0.5
    assert not await refusal(plugin.validate, event())
    with pytest.raises(StatusError) as refused:
        await plugin.validate(event())
    assert refused.value.code == 429


@pytest.mark.parametrize(
    ("kind", "other"),
    [("Namespace", {"namespace": "b"}), ("User", {"user": "bob"}), ("SourceAndObject", {"about": "q"})],
)
async def test_each_has_a_bucket_of_its_own(kind: str, other: dict[str, Any]) -> None:
    """One that is over its limit takes nothing from others."""
    plugin = EventRateLimit([Limit(kind, qps=1, burst=1)], clock=Clock())
    assert not await refusal(plugin.validate, event())
    assert f"limit reached on type {kind} for key" in await refusal(plugin.validate, event())
    assert not await refusal(plugin.validate, event(**other))
    assert "limit reached" in await refusal(plugin.validate, event())


async def test_rehearsals_take_nothing_and_old_buckets_are_dropped() -> None:
    """A dry run leaves the bucket as it is; no more buckets are kept than the configuration says."""
    plugin = EventRateLimit([Limit("Namespace", qps=1, burst=1, size=1)], clock=Clock())
    await plugin.validate(event(dry_run=True))
    assert not await refusal(plugin.validate, event())
    assert not await refusal(plugin.validate, event(namespace="b"))
    assert not await refusal(plugin.validate, event())
