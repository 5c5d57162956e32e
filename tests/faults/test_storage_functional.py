"""Faults under load: every acknowledged write is there afterwards, and every watch saw every one of them once."""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import orjson
import pytest

from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import EVENT_TYPE_ERROR, StorageRpcs, WatchRequest
from tests.faults.conftest import Setup, set_up
from tests.faults.ledger import under_load
from tests.faults.registers import Operation, linearizable
from tests.services.storage.peers import CONTEXT, EtcdProcess, Proxy, Storage, reason

MOUNT_BYTES = 192 * 1024 * 1024  # etcd sets aside two log files of 64 MB


async def test_kill_of_storage(setup: Setup) -> None:
    """The stage is killed and started again, twice."""
    async with under_load(setup.storage) as ledger:
        for _ in range(2):
            await asyncio.sleep(0.7)
            setup.process.kill()
            setup.process.start()
            await setup.healthy()
        await asyncio.sleep(0.7)
    assert len(ledger.acknowledged) > 100


async def test_kill_of_etcd(setup: Setup) -> None:
    """etcd is killed and started again on its data, twice."""
    async with under_load(setup.storage) as ledger:
        for _ in range(2):
            await asyncio.sleep(0.7)
            setup.etcd.kill()
            await asyncio.sleep(0.3)
            setup.etcd.start()
            await setup.healthy()
        await asyncio.sleep(0.7)
    assert len(ledger.acknowledged) > 100


async def test_frozen_etcd(setup: Setup) -> None:
    """etcd stands still for five seconds."""
    async with under_load(setup.storage) as ledger:
        await asyncio.sleep(0.7)
        setup.etcd.signal(signal.SIGSTOP)
        await asyncio.sleep(5)
        setup.etcd.signal(signal.SIGCONT)
        before = len(ledger.acknowledged)
        await setup.healthy()
        await asyncio.sleep(1.5)
    assert len(ledger.acknowledged) > before


async def test_cut_connection(tmp_path: Path) -> None:
    """The connection to etcd is cut again and again, answers lost on their way."""
    etcd = EtcdProcess(tmp_path / "etcd")
    etcd.start()
    try:
        async with Proxy(etcd) as proxy, set_up(tmp_path, etcd, servers=[proxy.url]) as setup:
            async with under_load(setup.storage) as ledger:
                for _ in range(5):
                    await asyncio.sleep(0.4)
                    proxy.swallow_answers = True
                    await asyncio.sleep(0.05)
                    proxy.cut()
                await asyncio.sleep(0.7)
            assert len(ledger.acknowledged) > 50
            await setup.storage.client.close()
            setup.process.kill()
    finally:
        etcd.stop()


@contextlib.contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    directory.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={MOUNT_BYTES}", "tmpfs", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here (that takes root): {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)


async def test_full_disk(tmp_path: Path) -> None:
    """etcd's disk fills up; with room again it goes on from its data."""
    with small_disk(tmp_path / "disk") as disk:
        etcd = EtcdProcess(disk / "etcd", fsync=True)
        etcd.start()
        try:
            async with set_up(tmp_path, etcd, "--etcd-request-timeout", "1s") as setup:
                async with under_load(setup.storage) as ledger:
                    await asyncio.sleep(0.5)
                    with (disk / "filler").open("wb") as filler, contextlib.suppress(OSError):
                        while True:
                            filler.write(b"\0" * 65536)
                            filler.flush()
                    await asyncio.sleep(2)
                    (disk / "filler").unlink()
                    etcd.kill()
                    etcd.start()
                    await setup.healthy()
                    before = len(ledger.acknowledged)
                    await asyncio.sleep(1)
                assert len(ledger.acknowledged) > before > 20
        finally:
            etcd.stop()


async def test_compaction_past_a_slow_watcher(tmp_path: Path) -> None:
    """A watcher that does not read is cut off after what is buffered, without a gap; then its revision has expired."""
    etcd = EtcdProcess(tmp_path / "etcd")
    etcd.start()
    flags = ("--watch-history-events", "50", "--watcher-events", "20", "--etcd-compaction-interval", "200ms")
    try:
        async with set_up(tmp_path, etcd, *flags) as setup:
            storage = setup.storage
            first = await storage.create("first")
            request = WatchRequest(key=storage.key(), resource_version=str(first.revision))
            stream = storage.client.stream(StorageRpcs.WATCH, request, CONTEXT)
            await storage.create("begin")
            events = list((await anext(stream)).events)
            large = {"data": {"k": "x" * 40_000}}
            revisions = [(await storage.create(f"o-{n:03}", large)).revision for n in range(400)]
            async for response in stream:
                events += response.events
            assert events[-1].type == EVENT_TYPE_ERROR
            got = [event.revision for event in events[1:-1]]
            assert got == revisions[: len(got)]
            assert len(got) < 400
            last = str(events[-2].revision)
            async with storage.watch(resource_version=last) as again:
                assert (await again.next()).type == EVENT_TYPE_ERROR
            with pytest.raises(HopError) as caught:
                await storage.list(resource_version=last, resource_version_match="Exact")
            assert reason(caught.value) == "EXPIRED"
    finally:
        etcd.stop()


async def _use(storage: Storage, name: str, client: int, stop: float, history: list[Operation]) -> None:
    """Read the register and set it from what was read, until the time is over."""
    number = 0
    while monotonic() < stop:
        called = monotonic()
        try:
            found = await storage.get(name)
        except HopError:
            await asyncio.sleep(0.05)
            continue
        value = orjson.loads(found.object)["data"]["v"]
        history.append(Operation(called, monotonic(), "read", value))
        number += 1
        new = f"{client}.{number}"
        called = monotonic()
        try:
            await storage.update(name, {"data": {"v": new}}, found.revision)
            history.append(Operation(called, monotonic(), "set", new, value))
        except HopError as error:
            kind = "refused" if reason(error) == "CONFLICT" else "set"
            returned = monotonic() if kind == "refused" else math.inf
            history.append(Operation(called, returned, kind, new, value))
        await asyncio.sleep(0.005)


async def test_registers_are_linearizable(setup: Setup) -> None:
    """Concurrent reads and writes of a few keys, with the stage killed among them, are those of a register each."""
    storage = setup.storage
    histories: dict[str, list[Operation]] = {f"register-{n}": [] for n in range(3)}
    for name in histories:
        await storage.create(name, {"data": {"v": "0"}})
    stop = monotonic() + 3
    clients = [
        asyncio.create_task(_use(storage, name, client, stop, history))
        for name, history in histories.items()
        for client in range(4)
    ]
    await asyncio.sleep(1)
    setup.process.kill()
    setup.process.start()
    await asyncio.gather(*clients)
    for name, history in histories.items():
        assert sum(operation.kind == "set" for operation in history) > 20
        assert linearizable(history, "0"), name
