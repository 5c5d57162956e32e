"""Shared watches: one upstream for equal watches, nothing lost or repeated for anybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from gateway.watching.events import Event
from gateway.watching.hub import Hub, Start, Subject
from kubehop.machinery import status
from kubehop.machinery.status import StatusError
from kubehop.pb.storage.v1 import EVENT_TYPE_ADDED, EVENT_TYPE_BOOKMARK, EVENT_TYPE_MODIFIED, WatchEvent
from tests.gateway.fakes import FakeWatches, context

PODS = Subject("", "pods", "a", "", "", "")


class Follower:
    """Keeps the revisions that it is handed."""

    def __init__(self) -> None:
        self.revisions: list[int] = []
        self.errors: list[StatusError | None] = []

    def push(self, events: Sequence[Event]) -> None:
        self.revisions += [event.revision for event in events]

    def end(self, error: StatusError | None) -> None:
        self.errors.append(error)


def change(revision: int) -> WatchEvent:
    return WatchEvent(type=EVENT_TYPE_MODIFIED, object=b"{}", revision=revision)


@pytest.fixture
async def watches() -> FakeWatches:
    return FakeWatches()


@pytest.fixture
async def hub(watches: FakeWatches) -> AsyncIterator[Hub]:
    made = Hub(watches)  # type: ignore[arg-type]
    yield made
    made.close()
    await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def follow(hub: Hub, start: Start) -> tuple[Follower, object]:
    follower = Follower()
    leave = await hub.follow(context(), PODS, start, follower)
    await settle()
    return follower, leave


async def test_equal_watches_share_one_upstream(hub: Hub, watches: FakeWatches) -> None:
    """A second client joins the stream of the first and catches up from what it keeps."""
    first, _ = await follow(hub, Start("10"))
    watches.send(0, change(11), change(12))
    await settle()
    second, _ = await follow(hub, Start("11"))
    watches.send(0, change(13))
    await settle()
    assert len(watches.feeds) == 1
    assert (first.revisions, second.revisions) == ([11, 12, 13], [12, 13])


async def test_later_start_skips_what_came_before(hub: Hub, watches: FakeWatches) -> None:
    """A client that starts beyond what the stream has reached is handed only what follows its start."""
    await follow(hub, Start("10"))
    later, _ = await follow(hub, Start("12"))
    watches.send(0, change(11), change(12), change(13))
    watches.send(0, change(14))
    await settle()
    assert later.revisions == [13, 14]


async def test_earlier_start_has_a_stream_of_its_own(hub: Hub, watches: FakeWatches) -> None:
    """What a stream does not keep any more is read again from storage."""
    await follow(hub, Start("10"))
    await follow(hub, Start("5"))
    assert [message.resource_version for message in watches.messages] == ["10", "5"]


async def test_initial_events_then_shared(hub: Hub, watches: FakeWatches) -> None:
    """A watch from the beginning reads the objects by itself and joins where they end."""
    follower, _ = await follow(hub, Start("", "NotOlderThan", send_initial_events=True))
    watches.send(
        0,
        WatchEvent(type=EVENT_TYPE_ADDED, object=b"{}", revision=3),
        WatchEvent(type=EVENT_TYPE_BOOKMARK, revision=7, initial_events_end=True),
    )
    await settle()
    assert [message.resource_version for message in watches.messages] == ["", "7"]
    watches.send(1, change(8))
    await settle()
    assert follower.revisions == [3, 7, 8]
    assert watches.ended == 1


async def test_error_ends_every_follower(hub: Hub, watches: FakeWatches) -> None:
    """When storage goes away each client learns why, and the next one gets a new stream."""
    first, _ = await follow(hub, Start("10"))
    second, _ = await follow(hub, Start("10"))
    watches.feeds[0].put_nowait(status.service_unavailable("storage"))
    await settle()
    assert [error.code for error in (*first.errors, *second.errors) if error] == [503, 503]
    await follow(hub, Start("10"))
    assert len(watches.feeds) == 2


async def test_leaving_stops_the_feed(hub: Hub, watches: FakeWatches) -> None:
    """A client that left is handed nothing more."""
    follower, leave = await follow(hub, Start("10"))
    leave()  # type: ignore[operator]
    watches.send(0, change(11))
    await settle()
    assert follower.revisions == []
