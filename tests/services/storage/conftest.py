"""Fixtures of the storage tests: one etcd per module, emptied between tests by using a prefix of its own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from services.storage.settings import EtcdSettings
from tests.services.storage.peers import EtcdProcess, Running, Storage, running, settings_for

_prefixes = itertools.count()
# how long an example takes says more about the machine's other work than about the code
hypothesis.settings.register_profile("storage", deadline=None)
hypothesis.settings.load_profile("storage")


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdProcess]:
    """An etcd of this module."""
    process = EtcdProcess(tmp_path_factory.mktemp("etcd"))
    process.start()
    yield process
    process.stop()


@pytest.fixture
def etcd_settings(etcd: EtcdProcess) -> EtcdSettings:
    """The module's etcd with a prefix of this test: what other tests left is not seen."""
    return settings_for(etcd, prefix=f"/registry{next(_prefixes)}")


@pytest.fixture
async def stage(etcd_settings: EtcdSettings, tmp_path: Path) -> AsyncIterator[Running]:
    """A storage stage in this process."""
    async with running(etcd_settings, tmp_path) as stage:
        yield stage


@pytest.fixture
def storage(stage: Running) -> Storage:
    """The contract alone: another store could be behind it."""
    return stage.storage
