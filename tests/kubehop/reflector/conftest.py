"""Storage for the reflector's tests: the fake and the real stage, behind the same contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubehop.hop.client import StageClient
from tests.support.fake_storage import FakeStorage, serving
from tests.support.stages import etcd, stage


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[FakeStorage]:
    """A fake storage on a socket of its own."""
    storage = FakeStorage()
    async with serving(storage, tmp_path / "fake.sock"):
        yield storage


@pytest.fixture
async def client(fake: FakeStorage, tmp_path: Path) -> AsyncIterator[StageClient]:
    """A client of the fake."""
    async with connected(tmp_path / "fake.sock") as storage:
        yield storage


@pytest.fixture(scope="module")
def real_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Socket of a storage stage over an etcd of its own."""
    directory = tmp_path_factory.mktemp("real")
    with etcd(directory / "etcd") as url, stage("services.storage", directory / "s.sock", "--etcd-servers", url):
        yield directory / "s.sock"


@pytest.fixture(params=["fake", "real"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StageClient]:
    """A client of either storage."""
    if request.param == "real":
        async with connected(request.getfixturevalue("real_socket")) as client:
            yield client
        return
    async with serving(FakeStorage(), tmp_path / "fake.sock"), connected(tmp_path / "fake.sock") as client:
        yield client


@asynccontextmanager
async def connected(socket: Path) -> AsyncIterator[StageClient]:
    """A connected client for the length of a block."""
    client = StageClient("storage", [f"unix:{socket}"])
    await client.connect()
    try:
        await client.wait_ready(20)
        yield client
    finally:
        await client.close()
