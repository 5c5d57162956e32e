"""Writers that remember what was acknowledged, watches that remember what they saw, and the comparison of both.

Each writer has names of its own, so that every object's possible states are known: one after an acknowledged write, the
state before or after a write whose outcome nobody told.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import grpc
import orjson

from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import (
    ERROR_REASON_EXPIRED,
    EVENT_TYPE_BOOKMARK,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_ERROR,
    StorageRpcs,
    WatchRequest,
)
from tests.services.storage.peers import CONTEXT, Storage, reason

NOT_WRITTEN = {"ALREADY_EXISTS", "CONFLICT", "NOT_FOUND"}
ABSENT = 0


@dataclass
class Ledger:
    """What writers were told."""

    states: dict[str, set[int]] = field(default_factory=dict)
    """By name the revisions it may be at; ABSENT for none, -1 for a write of unknown revision."""
    acknowledged: dict[int, str] = field(default_factory=dict)
    """Names by the revision of each acknowledged write."""
    unknown: int = 0
    failed: int = 0

    async def write(self, storage: Storage, writer: int, stop: asyncio.Event) -> None:
        """Create, update and now and then delete objects until told to stop."""
        number = 0
        while not stop.is_set():
            name = f"w{writer}-{number:05}"
            number += 1
            revision = await self._step(name, ABSENT, storage.create(name, {"data": {"n": f"{number}"}}))
            if revision:
                revision = await self._step(name, revision, storage.update(name, {"data": {"n": "new"}}, revision))
            if revision and number % 3 == 0:
                await self._step(name, revision, storage.delete(name, revision), deleted=True)

    async def _step(self, name: str, before: int, call, *, deleted: bool = False) -> int:  # type: ignore[no-untyped-def]
        """One write; its revision, 0 where the object is not to be touched any more."""
        try:
            answer = await call
        except HopError as error:
            if reason(error) in NOT_WRITTEN:
                raise AssertionError(f"{name} has one writer, yet: {error.message}") from error
            refused = reason(error) == "UNAVAILABLE" and error.code is grpc.StatusCode.UNAVAILABLE
            if refused:
                self.failed += 1  # storage itself says that nothing was written
                self.states[name] = {before}
            else:
                self.unknown += 1
                self.states[name] = {before, ABSENT if deleted else -1}
            await asyncio.sleep(0.02)
            return 0
        self.acknowledged[answer.revision] = name
        self.states[name] = {ABSENT if deleted else answer.revision}
        return int(answer.revision)

    async def check(self, storage: Storage) -> None:
        """Hold what can be read now against what was acknowledged."""
        listed = await storage.list()
        there = {item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in listed.items}
        wrong = {}
        for name, allowed in self.states.items():
            found = there.pop(name, ABSENT)
            if found not in allowed and not (found and -1 in allowed):
                wrong[name] = (found, allowed)
        assert not wrong, f"lost or changed: {wrong}"
        assert not there, f"nobody wrote {there}"


@dataclass
class Watched:
    """One watch that goes on wherever it broke off."""

    since: int
    events: list[tuple[int, str, bool]] = field(default_factory=list)
    """(revision, name, deleted) in the order in which they came."""
    breaks: int = 0
    expired: int = 0

    async def follow(self, storage: Storage, stop: asyncio.Event) -> None:
        """Watch, and watch again from the last revision received, until told to stop."""
        last = self.since
        while not stop.is_set():
            request = WatchRequest(key=storage.key(), resource_version=str(last), allow_bookmarks=True)
            with contextlib.suppress(HopError):
                async for response in storage.client.stream(StorageRpcs.WATCH, request, CONTEXT):
                    for event in response.events:
                        if event.type == EVENT_TYPE_ERROR:
                            if event.error.reason == ERROR_REASON_EXPIRED:
                                self.expired += 1
                                return
                            continue
                        last = max(last, event.revision)
                        if event.type != EVENT_TYPE_BOOKMARK:
                            name = orjson.loads(event.object)["metadata"]["name"]
                            self.events.append((event.revision, name, event.type == EVENT_TYPE_DELETED))
            self.breaks += 1
            await asyncio.sleep(0.05)

    def check(self, ledger: Ledger) -> None:
        """Revisions rise, none comes twice, and every acknowledged write is among them."""
        revisions = [revision for revision, _, _ in self.events]
        assert revisions == sorted(set(revisions)), "events out of order or repeated"
        assert not self.expired
        seen = {revision: name for revision, name, _ in self.events}
        missing = {revision: name for revision, name in ledger.acknowledged.items() if seen.get(revision) != name}
        assert not missing, f"never came: {missing}"


@contextlib.asynccontextmanager
async def under_load(storage: Storage, writers: int = 4, watches: int = 2):  # type: ignore[no-untyped-def]
    """Writers and watches run during the block; afterwards everything is checked."""
    ledger, stop, end = Ledger(), asyncio.Event(), asyncio.Event()
    since = (await storage.list()).header.revision
    followed = [Watched(since) for _ in range(watches)]
    following = [asyncio.create_task(watch.follow(storage, end)) for watch in followed]
    writing = [asyncio.create_task(ledger.write(storage, n, stop)) for n in range(writers)]
    try:
        yield ledger
        stop.set()
        await asyncio.gather(*writing)
        async with asyncio.timeout(30):
            while True:
                # what is known afterwards is known to all
                with contextlib.suppress(HopError):
                    await ledger.check(storage)
                    break
                await asyncio.sleep(0.1)
        newest = max(ledger.acknowledged)
        async with asyncio.timeout(15):
            while any(not watch.events or watch.events[-1][0] < newest for watch in followed):
                assert not any(task.done() for task in following), [task for task in following if task.done()]
                await asyncio.sleep(0.05)
        for watch in followed:
            watch.check(ledger)
    finally:
        stop.set()
        end.set()
        for task in (*writing, *following):
            task.cancel()
        await asyncio.gather(*writing, *following, return_exceptions=True)
