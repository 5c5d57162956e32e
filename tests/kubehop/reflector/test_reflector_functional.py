"""Reflectors against the real storage stage and against the fake that stands in for it elsewhere."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import orjson
import pytest

from kubehop.hop.client import StageClient
from kubehop.pb.storage.v1 import (
    EVENT_TYPE_ADDED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_MODIFIED,
    CreateRequest,
    DeleteRequest,
    EventType,
    Key,
    StorageRpcs,
    UpdateRequest,
)
from kubehop.reflector import Pulse, Reflector, Replica
from tests.support.fake_storage import FakeStorage, serving

SECONDS = 10

RESOURCES = itertools.cycle(["configmaps", "endpoints", "limitranges", "podtemplates", "resourcequotas", "secrets"])
"""Each test takes the next one, so that it finds a collection that nobody else of this module uses."""


@asynccontextmanager
async def running(reflector: Reflector) -> AsyncIterator[Reflector]:
    """Run a reflector for the length of a block, synced."""
    task = asyncio.create_task(reflector.run())
    try:
        async with asyncio.timeout(SECONDS):
            await reflector.synced.wait()
        yield reflector
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Writer:
    """Writes objects of a resource that only this test uses."""

    def __init__(self, client: StageClient) -> None:
        self.resource = next(RESOURCES)
        self._client = client

    def _object(self, namespace: str, name: str, value: str) -> bytes:
        metadata = {"name": name, "namespace": namespace, "uid": str(uuid4())}
        return orjson.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"v": value}})

    def key(self, namespace: str, name: str) -> Key:
        return Key(resource=self.resource, namespace=namespace, name=name)

    async def create(self, namespace: str, name: str, value: str = "") -> int:
        request = CreateRequest(key=self.key(namespace, name), object=self._object(namespace, name, value))
        return (await self._client.call(StorageRpcs.CREATE, request)).revision

    async def update(self, namespace: str, name: str, value: str, expected: int) -> int:
        request = UpdateRequest(
            key=self.key(namespace, name), object=self._object(namespace, name, value), expected_revision=expected
        )
        return (await self._client.call(StorageRpcs.UPDATE, request)).revision

    async def delete(self, namespace: str, name: str) -> int:
        return (await self._client.call(StorageRpcs.DELETE, DeleteRequest(key=self.key(namespace, name)))).revision


async def test_starts_with_what_is_there_and_follows_every_change(storage: StageClient) -> None:
    """A reflector holds what was there before it, and every change after, told in order."""
    writer = Writer(storage)
    first = await writer.create("a", "one", "1")
    await writer.create("b", "one", "2")
    told: list[tuple[EventType, str, str]] = []

    def on_change(kind: EventType, obj: dict) -> None:
        told.append((kind, obj["metadata"]["namespace"], obj["metadata"]["name"]))

    reflector = Reflector(storage, "", writer.resource, on_change=on_change)
    async with running(reflector):
        assert set(reflector.items) == {("a", "one"), ("b", "one")}
        assert reflector.items["a", "one"]["data"] == {"v": "1"}
        assert reflector.items["a", "one"]["metadata"]["resourceVersion"] == str(first)
        await writer.update("a", "one", "changed", first)
        last = await writer.delete("b", "one")
        await reflector.wait_for(last, SECONDS)
        assert reflector.items["a", "one"]["data"] == {"v": "changed"}
        assert set(reflector.items) == {("a", "one")}
        assert reflector.revision >= last
        assert reflector.fresh_for(SECONDS)
    assert sorted(told[:2]) == [(EVENT_TYPE_ADDED, "a", "one"), (EVENT_TYPE_ADDED, "b", "one")]
    assert told[2:] == [(EVENT_TYPE_MODIFIED, "a", "one"), (EVENT_TYPE_DELETED, "b", "one")]


async def test_a_change_arrives_within_a_fraction_of_a_second(storage: StageClient) -> None:
    """A write is in the replica long before the second that decisions may lag behind."""
    writer = Writer(storage)
    async with running(Reflector(storage, "", writer.resource)) as reflector:
        revision = await writer.create("a", "one")
        await reflector.wait_for(revision, 0.5)
        assert ("a", "one") in reflector.items


async def test_keeps_only_what_it_is_told_to_keep(storage: StageClient) -> None:
    """With keep, items hold the projection while on_change sees the whole object."""
    writer = Writer(storage)
    seen: list[dict] = []
    reflector = Reflector(
        storage,
        "",
        writer.resource,
        on_change=lambda _, obj: seen.append(obj),
        keep=lambda obj: {"metadata": obj["metadata"]},
    )
    async with running(reflector):
        await reflector.wait_for(await writer.create("a", "one", "whole"), SECONDS)
        assert list(reflector.items["a", "one"]) == ["metadata"]
        assert seen[0]["data"] == {"v": "whole"}


async def test_resumes_from_its_revision(fake: FakeStorage, client: StageClient) -> None:
    """After a broken watch only what was missed comes, and nothing twice."""
    writer = Writer(client)
    await writer.create("a", "one")
    told: list[str] = []
    reflector = Reflector(client, "", writer.resource, on_change=lambda _, obj: told.append(obj["metadata"]["name"]))
    async with running(reflector):
        before = reflector.revision
        fake.drop_watches()
        last = await writer.create("a", "two")
        await reflector.wait_for(last, SECONDS)
    assert told == ["one", "two"]
    assert fake.watches_opened[-1].resource_version == str(before)


async def test_reads_everything_anew_when_its_revision_is_gone(fake: FakeStorage, client: StageClient) -> None:
    """After an expired revision the differences are told: what is gone, what is new, and nothing that is the same."""
    writer = Writer(client)
    await writer.create("a", "gone")
    await writer.create("a", "same")
    told: list[tuple[EventType, str]] = []
    reflector = Reflector(
        client, "", writer.resource, on_change=lambda kind, obj: told.append((kind, obj["metadata"]["name"]))
    )
    async with running(reflector):
        told.clear()
        fake.drop_watches()
        await asyncio.sleep(0)
        await writer.delete("a", "gone")
        last = await writer.create("a", "new")
        fake.compact()
        await reflector.wait_for(last, SECONDS)
        assert set(reflector.items) == {("a", "same"), ("a", "new")}
    assert sorted(told) == [(EVENT_TYPE_ADDED, "new"), (EVENT_TYPE_DELETED, "gone")]


async def test_keeps_what_it_had_while_storage_is_away(tmp_path) -> None:
    """Storage that comes back is followed again; until then the old objects stay and their age grows."""
    fake = FakeStorage()
    client = StageClient("storage", [f"unix:{tmp_path / 's.sock'}"])
    await client.connect()
    reflector = Reflector(client, "", "things", pulse=Pulse(client, interval=0.2, timeout=1))
    writer = Writer(client)
    writer.resource = "things"
    task = asyncio.create_task(reflector.run())
    try:
        async with serving(fake, tmp_path / "s.sock"):
            async with asyncio.timeout(SECONDS):
                await reflector.synced.wait()
            await reflector.wait_for(await writer.create("a", "one"), SECONDS)
            await asyncio.sleep(1.2)
            assert reflector.fresh_for(1), "the pulse keeps a quiet watch fresh"
        await asyncio.sleep(0.6)
        assert not reflector.fresh_for(0.5)
        assert ("a", "one") in reflector.items
        async with serving(fake, tmp_path / "s.sock"):
            async with asyncio.timeout(SECONDS):
                while not reflector.fresh_for(0.5):
                    await asyncio.sleep(0.02)
            await reflector.wait_for(await writer.create("a", "two"), SECONDS)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await client.close()


async def test_a_storage_that_hangs_is_not_fresh(fake: FakeStorage, client: StageClient) -> None:
    """An open watch of a storage that answers nothing any more ages, and ends."""
    reflector = Reflector(client, "", "things", pulse=Pulse(client, interval=0.1, timeout=0.2))
    async with running(reflector):
        fake.answers_revision = False
        async with asyncio.timeout(SECONDS):
            while reflector.fresh_for(0.5) or len(fake.watches_opened) < 2:
                await asyncio.sleep(0.02)
        fake.answers_revision = True
        async with asyncio.timeout(SECONDS):
            while not reflector.fresh_for(0.5):
                await asyncio.sleep(0.02)


async def test_bookmarks_count_as_contact(fake: FakeStorage, client: StageClient) -> None:
    """A bookmark moves the revision and the time of the last contact."""
    now = [100.0]
    pulse = Pulse(client, interval=1000, clock=lambda: now[0])
    async with running(Reflector(client, "", "things", pulse=pulse, clock=lambda: now[0])) as reflector:
        now[0] += 50
        assert reflector.age == 50
        fake.revision += 7
        fake.bookmark()
        await reflector.wait_for(fake.revision, SECONDS)
        assert reflector.age == 0


async def test_waiting_for_a_revision_is_bounded(fake: FakeStorage, client: StageClient) -> None:
    """A revision that does not come in time is a TimeoutError."""
    async with running(Reflector(client, "", "things")) as reflector:
        with pytest.raises(TimeoutError):
            await reflector.wait_for(fake.revision + 1000, 0.05)


async def test_a_replica_is_as_fresh_as_its_oldest_reflector(fake: FakeStorage, client: StageClient) -> None:
    """Several reflectors share one pulse and are ready together."""
    pulse = Pulse(client, interval=0.1, timeout=0.5)
    replica = Replica([Reflector(client, "", resource, pulse=pulse) for resource in ("one", "two", "three")])
    assert not replica.fresh_for(1000)
    task = asyncio.create_task(replica.run())
    try:
        async with asyncio.timeout(SECONDS):
            await replica.wait_synced()
        assert replica.synced
        assert replica.fresh_for(1)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
