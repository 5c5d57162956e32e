"""A storage process on an etcd of its own for each test: everything here is killed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubehop.hop.client import StageClient
from tests.services.storage.peers import EtcdProcess, Storage, StorageProcess, until_healthy


@dataclass
class Setup:
    """What a fault can strike."""

    etcd: EtcdProcess
    process: StorageProcess
    storage: Storage

    async def healthy(self) -> None:
        await until_healthy(self.storage.client, 30)


@contextlib.asynccontextmanager
async def set_up(directory: Path, etcd: EtcdProcess, *flags: str, servers: Sequence[str] = ()) -> AsyncIterator[Setup]:
    process = StorageProcess(
        directory, ["--etcd-servers", ",".join(servers or [etcd.url]), "--log-level", "warning", *flags]
    )
    process.start()
    client = StageClient("storage", [process.target])
    await client.connect()
    try:
        setup = Setup(etcd, process, Storage(client))
        await setup.healthy()
        yield setup
    finally:
        await client.close()
        if process.process is not None and process.process.poll() is None:
            process.kill()


@pytest.fixture
async def setup(tmp_path: Path) -> AsyncIterator[Setup]:
    etcd = EtcdProcess(tmp_path / "etcd", fsync=True)
    etcd.start()
    try:
        async with set_up(tmp_path, etcd) as setup:
            yield setup
    finally:
        etcd.stop()
