"""What the stage does beside serving: compaction in turns, metrics, an etcd of which only the registry may be seen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.storage.compaction import KEY, Compactor
from services.storage.errors import CompactedError, UnavailableError
from services.storage.etcd import Etcd
from services.storage.metrics import MetricsSocket
from services.storage.settings import EtcdSettings
from tests.services.storage.peers import EtcdProcess, Running, running, settings_for


async def test_processes_take_turns(tmp_path: Path) -> None:
    """Of two compactors one moves the clock on and compacts to what it saw before; the other follows and takes over."""
    process = EtcdProcess(tmp_path / "etcd")
    process.start()
    one, other = Etcd(settings_for(process)), Etcd(settings_for(process))
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    await one.revision()
                    break
                except Exception:
                    await asyncio.sleep(0.05)
        first, second = Compactor(one, 300), Compactor(other, 300)
        assert not await first.step()  # nothing is compacted at the beginning
        assert not await second.step()  # not its turn
        seen = await one.revision()
        for n in range(5):
            await one.put_if(f"/registry/a/{n}", 0, b"{}")
        assert await first.step()
        assert first.compacted == seen
        with pytest.raises(CompactedError):
            await one.page("/registry/", "/registry0", limit=1, revision=seen - 1)
        assert not await second.step()
        # the first is gone: the second has seen nobody move the clock since
        assert await second.step()
        assert second.compacted > first.compacted
        found, _ = await one.get(KEY)
        assert found is not None
        assert int(found.value) == second.compacted
    finally:
        await one.close()
        await other.close()
        process.stop()


async def test_metrics_are_read_from_a_socket(stage: Running, tmp_path: Path) -> None:
    """The socket tells kube-apiserver's names and kubehop's own, with the values of now."""
    await stage.storage.create("a")
    await stage.storage.get("a")
    async with stage.storage.watch() as events:
        await events.take(1)
        socket = MetricsSocket(tmp_path / "metrics.sock", stage.assembly.collector())
        await socket.start()
        try:
            assert (tmp_path / "metrics.sock").stat().st_mode & 0o077 == 0
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "metrics.sock"))
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            text = (await reader.read()).decode()
            writer.close()
        finally:
            await socket.close()
    assert text.startswith("HTTP/1.1 200 OK\r\n")
    for line in (
        'apiserver_storage_objects{resource="configmaps"} 1.0',
        'etcd_requests_total{operation="create"} 1.0',
        'etcd_request_duration_seconds_bucket{le="+Inf",operation="create"} 1.0',
        "kubehop_storage_watchers 1.0",
        "kubehop_storage_ready 1.0",
        "kubehop_storage_consistent_reads_total 2.0",
        "kubehop_storage_consistent_read_fallbacks_total 0.0",
        "kubehop_hop_server_calls_total{",
    ):
        assert line in text, line


async def test_registry_alone(etcd_settings: EtcdSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the registry may be seen, reads stay right while others write elsewhere: etcd answers them."""
    asked = Etcd._question

    async def refused(self: Etcd, request: bytes) -> Any:
        if not self.narrow:
            raise UnavailableError("etcd: etcdserver: permission denied")
        return await asked(self, request)

    monkeypatch.setattr(Etcd, "_question", refused)
    outside = Etcd(etcd_settings)
    try:
        async with running(etcd_settings, tmp_path) as stage:
            assert stage.assembly.etcd.narrow
            created = await stage.storage.create("a")
            await outside.put_if(f"/elsewhere{etcd_settings.prefix}", 0, b"x")
            assert (await stage.storage.get("a")).revision == created.revision
            assert (await stage.storage.list()).names == ["a"]
            assert stage.assembly.freshness.fallbacks == 2
            async with stage.storage.watch(resource_version=str(created.revision)) as events:
                second = await stage.storage.create("b")
                assert await events.take(1) == [("ADDED", "b", second.revision)]
    finally:
        await outside.close()
