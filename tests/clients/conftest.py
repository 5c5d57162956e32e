"""One kubehop for all client tests, started as a user starts it, and a namespace for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.support import up


@pytest.fixture(scope="session")
def cluster() -> Iterator[up.Cluster]:
    """A running kubehop."""
    with up.running() as running:
        yield running


@pytest.fixture
def namespace(cluster: up.Cluster) -> str:
    """A fresh namespace; it goes with the cluster."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    return name
