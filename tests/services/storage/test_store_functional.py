"""Writes whose answer is lost, objects that vanish by themselves, and values that kube-apiserver wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import pytest

from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import Key
from services.storage.etcd import Etcd, KeyValue
from services.storage.settings import EtcdSettings, LeaseSettings
from tests.services.storage.peers import FAST, EtcdProcess, Proxy, Running, config_map, reason, running


@dataclass
class Fragile:
    """A stage whose connection to etcd can be broken, and another client whose cannot."""

    stage: Running
    proxy: Proxy
    other: Etcd
    prefix: str

    def key(self, name: str) -> str:
        return f"{self.prefix}/configmaps/default/{name}"

    async def stored(self, name: str) -> KeyValue | None:
        return (await self.other.get(self.key(name)))[0]

    async def until_stored(self, name: str, content: bytes | None) -> int:
        """Wait until etcd has the value (None: has not the key); its revision."""
        async with asyncio.timeout(10):
            while True:
                found = await self.stored(name)
                if (found.value if found else None) == content:
                    return found.mod_revision if found else 0
                await asyncio.sleep(0.01)


@pytest.fixture
async def fragile(etcd: EtcdProcess, etcd_settings: EtcdSettings, tmp_path: Path) -> AsyncIterator[Fragile]:
    async with Proxy(etcd) as proxy:
        settings = replace(etcd_settings, servers=(proxy.url,), request_timeout_seconds=5.0)
        other = Etcd(etcd_settings)
        async with running(settings, tmp_path) as stage:
            yield Fragile(stage, proxy, other, etcd_settings.prefix)
        await other.close()


async def test_lost_answer_of_a_create(fragile: Fragile) -> None:
    """A create that happened, but whose answer was lost, succeeds with its revision; it is not sent twice."""
    fragile.proxy.swallow_answers = True
    creating = asyncio.create_task(fragile.stage.storage.create("a", {"uid": "mine"}))
    revision = await fragile.until_stored("a", config_map("a", {"uid": "mine"}))
    fragile.proxy.cut()
    created = await creating
    assert created.revision == revision
    assert orjson.loads(created.object)["metadata"]["resourceVersion"] == str(revision)


async def test_lost_answers_of_update_and_delete(fragile: Fragile) -> None:
    """Updates and deletions whose answers were lost are found as well."""
    storage = fragile.stage.storage
    created = await storage.create("a")
    fragile.proxy.swallow_answers = True
    updating = asyncio.create_task(storage.update("a", {"data": {"k": "1"}}, created.revision))
    revision = await fragile.until_stored("a", config_map("a", {"data": {"k": "1"}}))
    fragile.proxy.cut()
    assert (await updating).revision == revision
    await storage.get("a")
    fragile.proxy.swallow_answers = True
    deleting = asyncio.create_task(storage.delete("a"))
    await fragile.until_stored("a", None)
    fragile.proxy.cut()
    deleted = await deleting
    assert deleted.revision == revision + 1
    assert orjson.loads(deleted.object)["data"] == {"k": "1"}


async def test_lost_answer_and_somebody_elses_write(fragile: Fragile) -> None:
    """Our write is found in the history even when another one followed it."""
    storage = fragile.stage.storage
    created = await storage.create("a")
    await storage.get("a")
    fragile.proxy.swallow_answers = True
    updating = asyncio.create_task(storage.update("a", {"data": {"k": "ours"}}, created.revision))
    revision = await fragile.until_stored("a", config_map("a", {"data": {"k": "ours"}}))
    await fragile.other.put_if(fragile.key("a"), revision, config_map("a", {"data": {"k": "theirs"}}))
    fragile.proxy.cut()
    updated = await updating
    assert updated.revision == revision
    assert orjson.loads(updated.object)["data"] == {"k": "ours"}


async def test_lost_answer_and_somebody_elses_deletion(fragile: Fragile) -> None:
    """A create that happened succeeds even when the object has been deleted before it could be read back."""
    fragile.proxy.swallow_answers = True
    creating = asyncio.create_task(fragile.stage.storage.create("a", {"uid": "ours"}))
    revision = await fragile.until_stored("a", config_map("a", {"uid": "ours"}))
    assert (await fragile.other.delete_if(fragile.key("a"), revision)).done
    fragile.proxy.cut()
    assert (await creating).revision == revision


async def test_write_that_lost_against_another(fragile: Fragile) -> None:
    """A write that never arrived conflicts if somebody else's did."""
    storage = fragile.stage.storage
    created = await storage.create("a")
    await storage.get("a")
    fragile.proxy.swallow_requests = True
    updating = asyncio.create_task(storage.update("a", {"data": {"k": "ours"}}, created.revision))
    creating = asyncio.create_task(storage.create("b", {"uid": "ours"}))
    await asyncio.sleep(0.2)
    theirs = await fragile.other.put_if(fragile.key("a"), created.revision, config_map("a", {"data": {"k": "theirs"}}))
    assert theirs.done
    assert (await fragile.other.put_if(fragile.key("b"), 0, config_map("b", {"uid": "theirs"}))).done
    fragile.proxy.cut()
    with pytest.raises(HopError) as caught:
        await updating
    assert reason(caught.value) == "CONFLICT"
    assert caught.value.metadata["current"] == str(theirs.revision)
    with pytest.raises(HopError) as caught:
        await creating
    assert reason(caught.value) == "ALREADY_EXISTS"


async def test_write_that_may_still_happen(fragile: Fragile) -> None:
    """A write that had not happened when read back fails as unknown, and is not sent again."""
    storage = fragile.stage.storage
    created = await storage.create("a")
    await storage.get("a")
    fragile.proxy.swallow_requests = True
    updating = asyncio.create_task(storage.update("a", {"data": {"k": "1"}}, created.revision))
    await asyncio.sleep(0.2)
    fragile.proxy.cut()
    with pytest.raises(HopError) as caught:
        await updating
    assert reason(caught.value) == "UNKNOWN_OUTCOME"
    assert "grpc" not in caught.value.message.lower()
    await asyncio.sleep(0.2)
    found = await fragile.stored("a")
    assert found is not None
    assert found.mod_revision == created.revision


async def test_values_of_kube_apiserver(stage: Running, etcd_settings: EtcdSettings) -> None:
    """What a kube-apiserver with JSON storage wrote is served, and what is stored here is what it would read."""
    other = Etcd(etcd_settings)
    value = (
        b'{"kind":"Service","apiVersion":"v1","metadata":{"name":"kubernetes","namespace":"default","uid":"u",'
        b'"creationTimestamp":"2026-01-01T00:00:00Z","labels":{"component":"apiserver"}},'
        b'"spec":{"clusterIP":"10.96.0.1"},"status":{"loadBalancer":{}}}\n'
    )
    key = Key(resource="services", namespace="default", name="kubernetes")
    try:
        written = await other.put_if(f"{etcd_settings.prefix}/services/specs/default/kubernetes", 0, value)
        found = await stage.storage.get("kubernetes", resource="services")
        expected = orjson.loads(value)
        expected["metadata"]["resourceVersion"] = str(written.revision)
        assert orjson.loads(found.object) == expected
        assert (await stage.storage.list(key, label_selector="component=apiserver")).names == ["kubernetes"]
        created = await stage.storage.create("a", {"data": {"k": "v"}})
        stored, _ = await other.get(created.store_key)
        assert stored is not None
        assert stored.value == config_map("a", {"data": {"k": "v"}})
        assert stored.mod_revision == created.revision
    finally:
        await other.close()


async def test_objects_with_time_to_live(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """Objects with a time to live vanish by themselves, watchers are told, and objects share leases."""
    async with running(etcd_settings, tmp_path, leases=LeaseSettings(reuse_fraction=1.0)) as stage:
        storage = stage.storage
        grants = 0
        grant = stage.assembly.etcd.grant

        async def counted(ttl: int) -> int:
            nonlocal grants
            grants += 1
            return await grant(ttl)

        stage.assembly.servicer._store._leases._grant = counted
        async with storage.watch(resource_version="0") as events:
            await asyncio.gather(*(storage.create(f"o-{n}", ttl=1) for n in range(10)))
            await storage.create("stays")
            assert {kind for kind, _, _ in await events.take(11)} == {"ADDED"}
            gone = await events.take(10)
            assert {kind for kind, _, _ in gone} == {"DELETED"}
        assert grants == 1
        assert (await storage.list()).names == ["stays"]


async def test_ended_lease_is_replaced(stage: Running) -> None:
    """A lease that etcd does not know any more fails one write at most; the next one gets a new lease."""
    storage = stage.storage
    await storage.create("a", ttl=100)
    leases = stage.assembly.servicer._store._leases
    leases._lease = 12345
    with pytest.raises(HopError) as caught:
        await storage.create("b", ttl=100)
    assert reason(caught.value) == "UNAVAILABLE"
    await storage.create("b", ttl=100)


async def test_no_error_of_the_client_library_leaks(fragile: Fragile) -> None:
    """With etcd gone every call fails with a reason of the contract and one line of text."""
    storage = fragile.stage.storage
    created = await storage.create("a")
    fragile.proxy.swallow_requests = True
    fragile.stage.assembly.etcd._timeout = 0.3
    fragile.stage.assembly.servicer._store._patience = 0.3
    for attempt in (
        storage.get("a"),
        storage.list(),
        storage.create("b"),
        storage.update("a", {"data": {}}, created.revision),
        storage.delete("a"),
    ):
        with pytest.raises(HopError) as caught:
            await attempt
        assert reason(caught.value) in ("UNAVAILABLE", "UNKNOWN_OUTCOME")
        assert caught.value.message.startswith("etcd: ")
        assert "\n" not in caught.value.message


async def test_small_history_cannot_tell(etcd: EtcdProcess, etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """When the history is too short to tell whose write came first, the outcome stays unknown."""
    tiny = replace(FAST, history=replace(FAST.history, events=1))
    async with Proxy(etcd) as proxy:
        settings = replace(etcd_settings, servers=(proxy.url,))
        other = Etcd(etcd_settings)
        async with running(settings, tmp_path, tiny) as stage:
            storage = stage.storage
            key = f"{etcd_settings.prefix}/configmaps/default/a"
            created = await storage.create("a")
            await storage.get("a")
            proxy.swallow_requests = True
            updating = asyncio.create_task(storage.update("a", {"data": {"k": "ours"}}, created.revision))
            await asyncio.sleep(0.2)
            theirs = await other.put_if(key, created.revision, config_map("a", {"data": {"k": "1"}}))
            await other.put_if(key, theirs.revision, config_map("a", {"data": {"k": "2"}}))
            proxy.cut()
            with pytest.raises(HopError) as caught:
                await updating
            assert reason(caught.value) == "UNKNOWN_OUTCOME"
        await other.close()
