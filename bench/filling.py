"""Memory of many objects in the storage stage: 10,000 of 1 KB, written to etcd directly."""

from __future__ import annotations

import asyncio
import json
import time

import grpc
from aetcd.rpc import rpc_pb2, rpc_pb2_grpc

from bench.processes import Process, tree
from tests.support import up

OBJECTS = 10_000


def value(number: int) -> bytes:
    """A ConfigMap of about 1 KB as storage keeps it."""
    data = {f"key-{i}": f"{number:05}" + "x" * 85 for i in range(8)}
    metadata = {"name": f"many-{number:05}", "namespace": "bench-many", "uid": f"00000000-0000-4000-8000-{number:012}"}
    return json.dumps(
        {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": data}, separators=(",", ":")
    ).encode()


async def fill(endpoint: str, credentials: tuple[bytes, ...]) -> None:
    """Write them, 50 at a time."""
    async with grpc.aio.secure_channel(endpoint, grpc.ssl_channel_credentials(*credentials)) as channel:
        kv = rpc_pb2_grpc.KVStub(channel)
        for first in range(0, OBJECTS, 50):
            puts = [
                rpc_pb2.RequestOp(
                    request_put=rpc_pb2.PutRequest(
                        key=f"/registry/configmaps/bench-many/many-{n:05}".encode(), value=value(n)
                    )
                )
                for n in range(first, first + 50)
            ]
            await kv.Txn(rpc_pb2.TxnRequest(success=puts))


def table(cluster: up.Cluster, endpoint: str, credentials: tuple[bytes, ...]) -> list[str]:
    """Growth of the storage process."""
    storage = next(p for p in tree(cluster.process.pid) if p.name == "storage")
    before = _settled(storage)
    asyncio.run(fill(endpoint, credentials))
    after = _settled(storage)
    size = OBJECTS * len(value(0)) / 2**20
    return [
        "| objects of 1 KB | as JSON, MB | storage before, MB | after, MB | growth, MB |",
        "| --- | --- | --- | --- | --- |",
        f"| {OBJECTS:,} | {size:.1f} | {before:.1f} | {after:.1f} | {after - before:.1f} |",
        "",
    ]


def _settled(process: Process) -> float:
    """Resident memory in MB once it no longer grows."""
    last = -1
    while (now := process.memory_kib()[0]) != last:
        last = now
        time.sleep(1)
    return now / 1024
