"""Real peers for the storage tests: throwaway etcd processes, and storage stages around them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from kubehop.hop.calls import CallContext
from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.storage.v1 import (
    CreateRequest,
    CreateResponse,
    DeleteRequest,
    DeleteResponse,
    EventType,
    GetRequest,
    GetResponse,
    Key,
    ListHeader,
    ListRequest,
    RevisionRequest,
    StorageRpcs,
    UpdateRequest,
    UpdateResponse,
    WatchEvent,
    WatchRequest,
)
from services.storage.assembly import Assembly, assemble
from services.storage.settings import CacheSettings, EtcdSettings, LeaseSettings

CONTEXT = CallContext(audit_id="test")


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@dataclass
class EtcdProcess:
    """One etcd member that can be killed and started again on its data."""

    directory: Path
    flags: Sequence[str] = ()
    scheme: str = "http"
    # what these tests kill is the process, not the machine: without fsync they are ten times faster
    fsync: bool = False
    ports: list[int] = field(default_factory=lambda: free_ports(2))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.ports[0]}"

    def start(self) -> None:
        client, peer = self.url, f"http://127.0.0.1:{self.ports[1]}"
        command = [
            "etcd",
            *("--data-dir", str(self.directory), "--log-level", "error"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"default={peer}"),
            *(() if self.fsync else ("--unsafe-no-fsync",)),
            *self.flags,
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


@dataclass
class Storage:
    """A storage stage as its callers see it. Nothing here knows what is behind the contract."""

    client: StageClient
    resource: str = "configmaps"
    namespace: str = "default"

    def key(self, name: str = "", **parts: str) -> Key:
        return Key(**{"resource": self.resource, "namespace": self.namespace, "name": name, **parts})

    async def create(
        self, name: str, content: dict[str, Any] | None = None, ttl: int = 0, **key: str
    ) -> CreateResponse:
        request = CreateRequest(key=self.key(name, **key), object=config_map(name, content), ttl_seconds=ttl)
        return await self.client.call(StorageRpcs.CREATE, request, CONTEXT)

    async def get(self, name: str, resource_version: str = "", **key: str) -> GetResponse:
        request = GetRequest(key=self.key(name, **key), resource_version=resource_version)
        return await self.client.call(StorageRpcs.GET, request, CONTEXT)

    async def update(self, name: str, content: dict[str, Any], expected: int, **key: str) -> UpdateResponse:
        request = UpdateRequest(key=self.key(name, **key), object=config_map(name, content), expected_revision=expected)
        return await self.client.call(StorageRpcs.UPDATE, request, CONTEXT)

    async def delete(self, name: str, expected: int = 0, uid: str = "", **key: str) -> DeleteResponse:
        request = DeleteRequest(key=self.key(name, **key), expected_revision=expected, expected_uid=uid)
        return await self.client.call(StorageRpcs.DELETE, request, CONTEXT)

    async def list(self, key: Key | None = None, **options: Any) -> Listed:
        request = ListRequest(key=key or self.key(), **options)
        header: ListHeader | None = None
        chunks: list[bytes] = []
        items: list[dict[str, Any]] = []
        async for response in self.client.stream(StorageRpcs.LIST, request, CONTEXT):
            if response.HasField("header"):
                assert header is None
                assert not items
                header = response.header
                continue
            chunks.append(response.chunk.items)
            found = orjson.loads(b"[" + response.chunk.items + b"]")
            assert len(found) == response.chunk.count
            items += found
        assert header is not None
        return Listed(header, items, chunks)

    @contextlib.asynccontextmanager
    async def watch(self, key: Key | None = None, **options: Any) -> AsyncIterator[Events]:
        """Events of a watch, which ends with the block."""
        request = WatchRequest(key=key or self.key(), **options)
        events = Events()

        async def read() -> None:
            async for response in self.client.stream(StorageRpcs.WATCH, request, CONTEXT):
                for event in response.events:
                    events.queue.put_nowait(event)
            events.queue.put_nowait(None)

        task = asyncio.create_task(read())
        events.task = task
        try:
            yield events
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@dataclass
class Listed:
    header: ListHeader
    items: list[dict[str, Any]]
    chunks: list[bytes]

    @property
    def names(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.items]


class Events:
    """What a watch has brought."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[WatchEvent | None] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None

    async def next(self, timeout: float = 10.0) -> WatchEvent:
        async with asyncio.timeout(timeout):
            event = await self.queue.get()
        assert event is not None, "the watch has ended"
        return event

    async def take(self, number: int) -> list[tuple[str, str, int]]:
        """The next events as (type, name, revision)."""
        return [summary(await self.next()) for _ in range(number)]

    async def none(self, seconds: float = 0.15) -> None:
        """Nothing comes for a moment."""
        await asyncio.sleep(seconds)
        assert self.queue.empty()

    async def ended(self, timeout: float = 10.0) -> None:
        async with asyncio.timeout(timeout):
            assert await self.queue.get() is None


def summary(event: WatchEvent) -> tuple[str, str, int]:
    kind = EventType.Name(event.type).removeprefix("EVENT_TYPE_")
    name = orjson.loads(event.object)["metadata"]["name"] if event.object else ""
    return kind, name, event.revision


def config_map(name: str, content: dict[str, Any] | None = None) -> bytes:
    """A ConfigMap as the gateway stores it; `content` adds labels, uid or other members."""
    content = dict(content or {})
    metadata = {"name": name, "namespace": "default"}
    for field_name in ("labels", "uid", "annotations"):
        if field_name in content:
            metadata[field_name] = content.pop(field_name)
    return orjson.dumps({"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, **content})


def reason(error: HopError) -> str:
    return error.reason.removeprefix("ERROR_REASON_")


@dataclass
class Running:
    """A storage stage in this process, and what is inside it."""

    storage: Storage
    assembly: Assembly
    server: StageServer


FAST = CacheSettings(housekeeping_seconds=0.05, patience_seconds=1.0)


@contextlib.asynccontextmanager
async def running(
    etcd: EtcdSettings, directory: Path, cache: CacheSettings = FAST, leases: LeaseSettings | None = None
) -> AsyncIterator[Running]:
    """Serve a storage stage from this process."""
    assembly = assemble(etcd, cache, leases or LeaseSettings())
    listen = f"unix:{directory}/storage.sock"
    server = StageServer(Stage("storage", "kubehop.storage.v1"), StorageRpcs.SERVICE, assembly.servicer, listen=listen)
    await server.start()
    assembly.cache.on_ready = server.set_serving
    following = asyncio.create_task(assembly.run())
    client = StageClient("storage", [listen])
    try:
        await client.connect()
        await client.wait_ready(10)
        async with asyncio.timeout(20):
            await assembly.cache.ready.wait()
        yield Running(Storage(client), assembly, server)
    finally:
        await client.close()
        assembly.cache.on_ready = lambda _ready: None
        assembly.cache.hub.close_all()
        await server.stop(0.2)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await assembly.close()


@dataclass
class StorageProcess:
    """`python -m services.storage` as it is run for real."""

    directory: Path
    flags: Sequence[str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def target(self) -> str:
        return f"unix:{self.directory}/stage.sock"

    def start(self) -> None:
        command = [sys.executable, "-m", "services.storage", "--listen", self.target, *self.flags]
        with (self.directory / "stage.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def log(self) -> str:
        return (self.directory / "stage.log").read_text()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(15)


async def until_healthy(client: StageClient, seconds: float = 15.0) -> None:
    """Wait until the stage answers to a call, which it does only when it serves."""
    async with asyncio.timeout(seconds):
        while True:
            with contextlib.suppress(HopError):
                await client.wait_ready(seconds)
                await client.call(StorageRpcs.REVISION, RevisionRequest(), CONTEXT)
                return
            await asyncio.sleep(0.02)


def settings_for(etcd: EtcdProcess, **changes: Any) -> EtcdSettings:
    return replace(EtcdSettings(servers=(etcd.url,), request_timeout_seconds=5.0), **changes)


class Proxy:
    """A TCP connection to etcd that can lose what is on its way."""

    def __init__(self, etcd: EtcdProcess) -> None:
        self._target = etcd.ports[0]
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self.swallow_requests = False
        self.swallow_answers = False

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection; new ones work."""
        self.swallow_requests = self.swallow_answers = False
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        for task in (
            asyncio.create_task(self._pump(reader, far_writer, lambda: self.swallow_requests)),
            asyncio.create_task(self._pump(far_reader, writer, lambda: self.swallow_answers)),
        ):
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, swallow: Callable[[], bool]
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not swallow():
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
