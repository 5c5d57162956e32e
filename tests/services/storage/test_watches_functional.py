"""Watches over time: history and its end, slow readers, bookmarks, restarts of etcd and of the stage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import orjson
import pytest

from kubehop.pb.storage.v1 import (
    ERROR_REASON_CORRUPT,
    ERROR_REASON_EXPIRED,
    ERROR_REASON_UNAVAILABLE,
    EVENT_TYPE_BOOKMARK,
    EVENT_TYPE_ERROR,
    Key,
)
from services.storage.etcd import Etcd
from services.storage.settings import EtcdSettings
from services.storage.watchers import Watcher
from tests.services.storage.peers import (
    FAST,
    EtcdProcess,
    Events,
    Running,
    config_map,
    running,
    settings_for,
    until_healthy,
)


async def expired(events: Events) -> str:
    event = await events.next()
    assert event.type == EVENT_TYPE_ERROR
    assert event.error.reason == ERROR_REASON_EXPIRED
    await events.ended()
    return event.error.message


async def test_history_is_bounded(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """A watch from before the history ends with an expired error; one at its very edge works."""
    small = replace(FAST, history=replace(FAST.history, events=5, replay=0))
    async with running(etcd_settings, tmp_path, small) as stage:
        storage = stage.storage
        revisions = [(await storage.create(f"o-{n}")).revision for n in range(10)]
        await storage.get("o-9")
        history = stage.assembly.cache.history
        assert len(history) == 5
        assert history.floor == revisions[4]
        async with storage.watch(resource_version=str(revisions[4])) as events:
            assert [name for _, name, _ in await events.take(5)] == [f"o-{n}" for n in range(5, 10)]
        async with storage.watch(resource_version=str(revisions[3])) as events:
            assert await expired(events) == f"too old resource version: {revisions[3]} ({revisions[4]})"


async def test_history_ages(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """Changes are dropped when they are old, in a quiet store too, and their memory with them."""
    short = replace(FAST, history=replace(FAST.history, seconds=0.2))
    async with running(etcd_settings, tmp_path, short) as stage:
        created = await stage.storage.create("a")
        await stage.storage.update("a", {"data": {"k": "1"}}, created.revision)
        history = stage.assembly.cache.history
        async with asyncio.timeout(5):
            while len(history):
                await asyncio.sleep(0.02)
        assert history.floor == stage.assembly.cache.revision
        assert history.bytes == 0


async def test_bookmarks_of_a_quiet_watch(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """A watch that sees nothing learns how far the store is, if it allows bookmarks, and not twice the same."""
    often = replace(FAST, bookmark_seconds=0.1)
    async with running(etcd_settings, tmp_path, often) as stage:
        storage = stage.storage
        async with (
            storage.watch(resource_version="0", allow_bookmarks=True) as events,
            storage.watch(resource_version="0") as without,
        ):
            begin = await events.next()
            assert (begin.type, begin.object) == (EVENT_TYPE_BOOKMARK, b"")
            elsewhere = await storage.create("a", namespace="another")
            mark = await events.next()
            assert (mark.type, mark.revision, mark.object) == (EVENT_TYPE_BOOKMARK, elsewhere.revision, b"")
            await events.none(0.4)
            created = await storage.create("b")
            assert await events.take(1) == [("ADDED", "b", created.revision)]
            assert await without.take(1) == [("ADDED", "b", created.revision)]
            await without.none(0.3)


async def test_slow_reader_is_cut_off(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """A reader that is too far behind gets what was buffered and an end; others are not affected."""
    small = replace(FAST, watcher_events=20)
    async with running(etcd_settings, tmp_path, small) as stage:
        storage, cache = stage.storage, stage.assembly.cache
        place = stage.assembly.servicer._place(Key(resource="configmaps", namespace="default"))
        from services.storage.selection import selection

        slow = Watcher(cache.revision, 20, bookmarks=False, now=monotonic())
        cache.hub.add(slow, place.prefix, selection("", "", place.resource_prefix))
        async with storage.watch(resource_version="0") as fast:
            revisions = [(await storage.create(f"o-{n:02}")).revision for n in range(30)]
            assert [revision for _, _, revision in await fast.take(30)] == revisions
        assert slow.ended
        from kubehop.pb.storage.v1 import WatchResponse

        received = [event async for response in slow.responses() for event in WatchResponse.FromString(response).events]
        assert [event.revision for event in received[:-1]] == revisions[:20]
        assert received[-1].type == EVENT_TYPE_ERROR
        assert received[-1].error.reason == ERROR_REASON_UNAVAILABLE
        cache.hub.remove(slow)
        async with asyncio.timeout(5):
            while cache.hub.count:
                await asyncio.sleep(0.01)


async def test_equal_watches_serialize_once(stage: Running) -> None:
    """An event is judged and serialized once for all watches that see the same, and they all get the same bytes."""
    storage, hub = stage.storage, stage.assembly.cache.hub
    from services.storage.selection import selection

    place = stage.assembly.servicer._place(Key(resource="configmaps", namespace="default"))
    selected = selection("app=web", "", place.resource_prefix)
    watchers = [Watcher(0, 100, bookmarks=False, now=0.0) for _ in range(50)]
    for watcher in watchers:
        hub.add(watcher, place.prefix, selected)
    unrelated = Watcher(0, 100, bookmarks=False, now=0.0)
    hub.add(unrelated, "/registry/pods/default/", selected)
    await storage.create("a", {"labels": {"app": "web"}})
    await storage.get("a")
    first = [await anext(watcher.responses()) for watcher in watchers]
    assert all(response is first[0] for response in first)
    assert unrelated.behind == 0
    for watcher in [*watchers, unrelated]:
        hub.remove(watcher)
    assert hub.count == 0
    assert not hub._groups


async def test_events_of_one_transaction(stage: Running, etcd_settings: EtcdSettings) -> None:
    """Several objects written at one revision by another client all arrive, also when a watch resumes before it."""
    from aetcd import rpc

    other = Etcd(etcd_settings)
    start = await stage.storage.create("first")
    names = ["a", "b", "c"]
    try:
        puts = [
            rpc.RequestOp(
                request_put=rpc.PutRequest(
                    key=f"{etcd_settings.prefix}/configmaps/default/{name}".encode(), value=config_map(name)
                )
            )
            for name in names
        ]
        async with stage.storage.watch(resource_version=str(start.revision)) as events:
            answer = await other._current.txn(rpc.TxnRequest(success=puts))
            revision = answer.header.revision
            expected = [("ADDED", name, revision) for name in names]
            assert sorted(await events.take(3)) == expected
        async with stage.storage.watch(resource_version=str(start.revision)) as events:
            assert sorted(await events.take(3)) == expected
    finally:
        await other.close()


async def test_corrupt_object_ends_a_watch_and_fails_a_list(stage: Running, etcd_settings: EtcdSettings) -> None:
    """An object that cannot be decoded fails what would have to show it, and nothing else."""
    storage, other = stage.storage, Etcd(etcd_settings)
    await storage.create("a")
    try:
        async with storage.watch(resource_version="0") as events:
            await events.take(1)
            await other.put_if(f"{etcd_settings.prefix}/configmaps/default/b", 0, b"k8s\x00binary")
            event = await events.next()
            assert (event.type, event.error.reason) == (EVENT_TYPE_ERROR, ERROR_REASON_CORRUPT)
        async with storage.watch(resource_version="0") as events:
            assert (await events.take(1))[0][1] == "a"
            event = await events.next()
            assert (event.type, event.error.reason) == (EVENT_TYPE_ERROR, ERROR_REASON_CORRUPT)
        from kubehop.hop.errors import HopError

        for attempt in (storage.get("b"), storage.get("b", "0"), storage.list(), storage.delete("b")):
            with pytest.raises(HopError) as caught:
                await attempt
            assert caught.value.reason == "ERROR_REASON_CORRUPT"
        assert (await storage.get("a")).object
    finally:
        await other.close()


@pytest.fixture
async def own_etcd(tmp_path: Path) -> AsyncIterator[EtcdProcess]:
    """An etcd that may be killed."""
    process = EtcdProcess(tmp_path / "etcd", fsync=True)
    process.start()
    yield process
    process.stop()


async def test_watch_survives_a_restart_of_etcd(own_etcd: EtcdProcess, tmp_path: Path) -> None:
    """etcd is killed and started again under a watch and a writer: no event is lost, none repeated."""
    settings = settings_for(own_etcd, request_timeout_seconds=2.0)
    from kubehop.hop.errors import HopError

    async with running(settings, tmp_path) as stage:
        storage = stage.storage
        acknowledged: dict[str, int] = {}
        stop = asyncio.Event()

        async def write() -> None:
            number = 0
            while not stop.is_set():
                name = f"o-{number:05}"
                number += 1
                try:
                    acknowledged[name] = (await storage.create(name)).revision
                except HopError:
                    await asyncio.sleep(0.02)

        async with storage.watch(resource_version="0") as events:
            writer = asyncio.create_task(write())
            for _ in range(2):
                await asyncio.sleep(0.3)
                own_etcd.kill()
                await asyncio.sleep(0.2)
                own_etcd.start()
                before = len(acknowledged)
                async with asyncio.timeout(20):
                    while len(acknowledged) < before + 20:
                        await asyncio.sleep(0.02)
            stop.set()
            await writer
            listed = await storage.list()
            there = {item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in listed.items}
            # nothing acknowledged is lost; writes whose outcome was unknown may be there as well
            assert {name: there.get(name) for name in acknowledged} == acknowledged
            seen = await events.take(len(there))
            assert [(name, revision) for _, name, revision in seen] == sorted(there.items(), key=lambda item: item[1])
            assert {kind for kind, _, _ in seen} == {"ADDED"}
            await events.none()


async def test_compaction_while_disconnected(own_etcd: EtcdProcess, tmp_path: Path) -> None:
    """When changes are compacted before memory has seen them, watches end as expired and memory is filled anew."""
    settings = settings_for(own_etcd)
    other = Etcd(settings)
    async with running(settings, tmp_path) as stage:
        storage, cache = stage.storage, stage.assembly.cache
        await storage.create("a")
        await storage.create("gone")
        async with storage.watch(resource_version="0") as events:
            await events.take(2)
            # the watch of etcd breaks, and before it is opened again history is rewritten
            changes = cache._source.changes
            may_follow = asyncio.Event()

            async def held(after: int) -> AsyncIterator[object]:
                await may_follow.wait()
                async for batch in changes(after):
                    yield batch

            cache._source.changes = held  # type: ignore[method-assign, assignment]
            own_etcd.kill()
            own_etcd.start()
            async with asyncio.timeout(10):
                while True:
                    try:
                        revision = await other.revision()
                        break
                    except Exception:
                        await asyncio.sleep(0.05)
            prefix = "/registry/configmaps/default"
            found, _ = await other.get(f"{prefix}/gone")
            assert found is not None
            await other.delete_if(f"{prefix}/gone", found.mod_revision)
            for n in range(3):
                revision = (await other.put_if(f"{prefix}/new-{n}", 0, config_map(f"new-{n}"))).revision
            await other.compact(revision)
            may_follow.set()
            await expired(events)
        await until_healthy(storage.client)
        await storage.client.wait_ready(10)
        assert (await storage.list()).names == ["a", "new-0", "new-1", "new-2"]
        async with storage.watch(resource_version=str(revision)) as events:
            created = await storage.create("b")
            assert await events.take(1) == [("ADDED", "b", created.revision)]
    await other.close()


async def test_replaced_etcd_is_noticed(own_etcd: EtcdProcess, tmp_path: Path) -> None:
    """An etcd that comes back with other data than before leaves nothing of the old in memory."""
    async with running(settings_for(own_etcd, request_timeout_seconds=1.0), tmp_path) as stage:
        storage = stage.storage
        for n in range(5):
            await storage.create(f"o-{n}")
        async with storage.watch(resource_version="0") as events:
            await events.take(5)
            own_etcd.kill()
            own_etcd.directory = tmp_path / "another"
            own_etcd.start()
            await expired(events)
        async with asyncio.timeout(10):
            await stage.assembly.cache.ready.wait()
        await until_healthy(storage.client)
        await storage.client.wait_ready(10)
        assert (await storage.list()).names == []
        assert orjson.loads((await storage.create("new")).object)["metadata"]["resourceVersion"] == "2"
        assert (await storage.get("new")).revision == 2


async def test_watches_resume_after_a_restart_of_the_stage(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """A new process knows the recent past: a watch goes on from the revision it had reached before."""
    async with running(etcd_settings, tmp_path) as stage:
        first = await stage.storage.create("a")
        second = await stage.storage.update("a", {"data": {"k": "1"}}, first.revision)
        third = await stage.storage.create("b")
        deleted = await stage.storage.delete("a")
    async with running(etcd_settings, tmp_path) as stage:
        async with stage.storage.watch(resource_version=str(first.revision)) as events:
            assert await events.take(3) == [
                ("MODIFIED", "a", second.revision),
                ("ADDED", "b", third.revision),
                ("DELETED", "a", deleted.revision),
            ]
        assert (await stage.storage.list()).names == ["b"]
        exact = await stage.storage.list(resource_version=str(third.revision), resource_version_match="Exact")
        assert exact.names == ["a", "b"]
    none = replace(FAST, history=replace(FAST.history, replay=0))
    async with (
        running(etcd_settings, tmp_path, none) as stage,
        stage.storage.watch(resource_version=str(first.revision)) as events,
    ):
        await expired(events)
