"""One pipeline for all functional tests of the gateway, and a client that speaks to it."""

from __future__ import annotations

import io
import json
import ssl
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from tests.support import cluster as clusters


class Api:
    """Requests to a gateway, as one user."""

    def __init__(self, session: aiohttp.ClientSession, server: str, tls: ssl.SSLContext) -> None:
        self.session = session
        self.server = server
        self.tls = tls

    def request(self, method: str, path: str, *, token: str = "admin-token", **options: Any) -> Any:
        """Start a request; use it as a context manager. `token` "" sends none."""
        headers = dict(options.pop("headers", {}))
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        return self.session.request(method, self.server + path, headers=headers, ssl=self.tls, **options)

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Send JSON, return status and decoded JSON (or the text)."""
        if body is not None:
            options["data"] = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
            options["headers"] = {"Content-Type": "application/json", **options.get("headers", {})}
        async with self.request(method, path, **options) as answer:
            data = await answer.read()
            try:
                return answer.status, json.loads(data)
            except ValueError:
                return answer.status, data.decode()


@pytest.fixture(scope="session")
def pipeline() -> Iterator[clusters.Cluster]:
    """etcd, the four stages and the gateway."""
    with clusters.running() as running:
        yield running


@pytest.fixture
async def api(pipeline: clusters.Cluster) -> AsyncIterator[Api]:
    """A client of the shared pipeline."""
    async with api_of(pipeline) as made:
        yield made


def api_of(running: clusters.Cluster) -> _Session:
    """A client of a pipeline, as a context manager."""
    return _Session(running)


class _Session:
    def __init__(self, running: clusters.Cluster) -> None:
        self._running = running

    async def __aenter__(self) -> Api:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        return Api(self._session, self._running.server, self._running.tls())

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


@pytest.fixture
async def namespace(api: Api) -> str:
    """A fresh namespace."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    code, _ = await api.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert code == 201
    return name
