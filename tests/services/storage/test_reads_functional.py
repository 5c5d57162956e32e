"""Linearizable reads from memory, and what happens when memory lags."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import SOURCE_CACHE, SOURCE_STORE
from services.storage.etcd import Etcd
from services.storage.settings import EtcdSettings
from tests.services.storage.peers import FAST, EtcdProcess, Proxy, Running, config_map, reason, running


async def test_read_sees_writes_of_others(stage: Running, etcd_settings: EtcdSettings) -> None:
    """What another client wrote to etcd is seen by the next read, every time."""
    storage, other = stage.storage, Etcd(etcd_settings)
    key = f"{etcd_settings.prefix}/configmaps/default/a"
    revision = 0
    try:
        for number in range(300):
            written = await other.put_if(key, revision, config_map("a", {"data": {"n": str(number)}}))
            assert written.done
            revision = written.revision
            if number % 2:
                found = await storage.get("a")
                assert (found.revision, found.source) == (revision, SOURCE_CACHE)
                assert orjson.loads(found.object)["data"] == {"n": str(number)}
            else:
                listed = await storage.list()
                assert listed.header.revision >= revision
                assert listed.items[0]["metadata"]["resourceVersion"] == str(revision)
    finally:
        await other.close()
    assert stage.assembly.freshness.fallbacks == 0


async def test_writes_outside_the_registry_do_not_hold_up_reads(stage: Running, etcd_settings: EtcdSettings) -> None:
    """Revisions that only touch other keys advance the cache too."""
    other = Etcd(etcd_settings)
    await stage.storage.create("a")
    try:
        for number in range(20):
            await other.put_if(f"/somewhere/else/{number}", 0, b"not json")
            found = await stage.storage.get("a")
            assert found.source == SOURCE_CACHE
    finally:
        await other.close()


async def test_concurrent_reads_share_quorum_reads(stage: Running) -> None:
    """Reads that wait at the same moment ask etcd once, not once each."""
    storage = stage.storage
    await storage.create("a")
    before = stage.assembly.etcd.quorum_reads
    reads = 400
    await asyncio.gather(*(storage.get("a") for _ in range(reads)))
    asked = stage.assembly.etcd.quorum_reads - before
    assert 1 <= asked <= reads / 10


async def test_a_read_does_not_join_a_question_already_sent(stage: Running) -> None:
    """A read that begins after a quorum read was sent waits for the next one."""
    freshness, etcd = stage.assembly.freshness, stage.assembly.etcd
    sent: list[asyncio.Future[int]] = []

    def ask() -> asyncio.Future[int]:
        sent.append(asyncio.get_running_loop().create_future())
        return sent[-1]

    freshness._ask = ask
    now = await etcd.revision()
    first, second = freshness.wait(), freshness.wait()
    await asyncio.sleep(0)
    assert len(sent) == 1
    late = freshness.wait()
    sent[0].set_result(now)
    assert (await first, await second) == (now, now)
    await asyncio.sleep(0.01)
    assert not late.done()
    assert len(sent) == 2
    sent[1].set_result(now)
    assert await late == now


async def test_cancelled_reads_do_not_disturb_others(stage: Running) -> None:
    """Readers that give up leave those who share their question alone."""
    storage = stage.storage
    await storage.create("a")
    reads = [asyncio.create_task(storage.get("a")) for _ in range(40)]
    await asyncio.sleep(0)
    for read in reads[::2]:
        read.cancel()
    done = await asyncio.gather(*reads, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in done[::2])
    assert all(not isinstance(result, BaseException) for result in done[1::2])


async def test_lagging_memory_is_bypassed(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """When the cache does not catch up, reads go to etcd and are still the latest."""
    async with running(etcd_settings, tmp_path, replace(FAST, patience_seconds=0.2)) as stage:
        storage, cache = stage.storage, stage.assembly.cache
        await storage.create("a")
        await storage.get("a")
        held: list[object] = []
        cache._apply = held.append  # type: ignore[method-assign]
        updated = await storage.update("a", {"data": {"k": "new"}}, (await storage.get("a", "0")).revision)
        await storage.create("b")
        found = await storage.get("a")
        assert (found.revision, found.source) == (updated.revision, SOURCE_STORE)
        listed = await storage.list()
        assert listed.names == ["a", "b"]
        assert listed.header.source == SOURCE_STORE
        page = await storage.list(limit=1)
        assert (page.names, page.header.remaining_item_count) == (["a"], 1)
        assert (await storage.list(limit=1, continue_token=page.header.continue_token)).names == ["b"]
        with pytest.raises(HopError) as caught:
            await storage.get("no")
        assert reason(caught.value) == "NOT_FOUND"
        assert stage.assembly.freshness.fallbacks >= 4
        assert (await storage.get("a", "0")).source == SOURCE_CACHE


async def test_old_revisions_come_from_etcd(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """What is older than the history in memory is read from etcd, page by page, until etcd has compacted it."""
    tiny = replace(FAST, history=replace(FAST.history, events=3, replay=0))
    async with running(etcd_settings, tmp_path, tiny) as stage:
        storage = stage.storage
        created = [await storage.create(f"o-{n}", {"labels": {"odd": "yes"} if n % 2 else {}}) for n in range(7)]
        old = created[4].revision
        page = await storage.list(limit=2, resource_version=str(old), resource_version_match="Exact")
        for n in range(7):
            await storage.delete(f"o-{n}")
        await storage.list()
        assert stage.assembly.cache.history.floor > old
        exact = await storage.list(resource_version=str(old), resource_version_match="Exact")
        assert exact.names == [f"o-{n}" for n in range(5)]
        assert exact.header.source == SOURCE_STORE
        rest = await storage.list(limit=2, continue_token=page.header.continue_token)
        assert (rest.names, rest.header.remaining_item_count) == (["o-2", "o-3"], 1)
        assert rest.header.source == SOURCE_STORE
        odd = await storage.list(
            limit=1, label_selector="odd", resource_version=str(old), resource_version_match="Exact"
        )
        assert odd.names == ["o-1"]
        more = await storage.list(limit=1, label_selector="odd", continue_token=odd.header.continue_token)
        assert more.names == ["o-3"]
        assert not more.header.HasField("remaining_item_count")
        await stage.assembly.etcd.compact(stage.assembly.cache.revision)
        with pytest.raises(HopError) as caught:
            await storage.list(resource_version=str(old), resource_version_match="Exact")
        assert reason(caught.value) == "EXPIRED"
        assert caught.value.message == "The resourceVersion for the provided list is too old."
        with pytest.raises(HopError) as caught:
            await storage.list(limit=2, continue_token=rest.header.continue_token)
        assert reason(caught.value) == "EXPIRED"
        assert "Continuing with the provided token results in an inconsistent list" in caught.value.message
        await storage.create("o-9")
        inconsistent = await storage.list(limit=2, continue_token=caught.value.metadata["continue"])
        assert inconsistent.names == ["o-9"]


async def test_no_etcd_no_linearizable_read(etcd: EtcdProcess, etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """While etcd is out of reach reads of the latest state fail, resourceVersion=0 is served; then all is well."""
    async with Proxy(etcd) as proxy:
        settings = replace(etcd_settings, servers=(proxy.url,), request_timeout_seconds=0.5)
        async with running(settings, tmp_path) as stage:
            storage = stage.storage
            created = await storage.create("a")
            await storage.get("a")
            proxy.swallow_requests = True
            with pytest.raises(HopError) as caught:
                await storage.get("a")
            assert reason(caught.value) == "UNAVAILABLE"
            assert (await storage.get("a", "0")).revision == created.revision
            proxy.cut()
            async with asyncio.timeout(10):
                while True:
                    try:
                        assert (await storage.get("a")).revision == created.revision
                        break
                    except HopError:
                        await asyncio.sleep(0.05)


async def test_members_out_of_reach_are_passed_over(
    etcd: EtcdProcess, etcd_settings: EtcdSettings, tmp_path: Path
) -> None:
    """With the first member dead from the start, the others serve; when the connection breaks, the next one is used."""
    dead = EtcdProcess(tmp_path / "never-started")
    async with Proxy(etcd) as proxy:
        settings = replace(etcd_settings, servers=(dead.url, proxy.url, etcd.url), request_timeout_seconds=1.0)
        async with running(settings, tmp_path) as stage:
            storage = stage.storage
            async with storage.watch(resource_version="0") as events:
                created = await storage.create("a")
                assert await events.take(1) == [("ADDED", "a", created.revision)]
                proxy.swallow_requests = proxy.swallow_answers = True
                with pytest.raises(HopError) as caught:
                    await storage.create("lost")
                assert reason(caught.value) == "UNKNOWN_OUTCOME"
                proxy.cut()
                again = await storage.create("b")
                assert (await storage.get("b")).revision == again.revision
                assert await events.take(1) == [("ADDED", "b", again.revision)]
