"""What a hop costs: typed unary calls against the exchange lane, between two processes over a unix socket.

    python bench/hop_lane.py [--seconds 3] [--in-flight 1,32,256] [--object-bytes 900] [--log]

Prints calls per second, latency, and the CPU microseconds per call of each side, the threads of gRPC included. The
stage answers Get of the storage contract from memory, once as a coroutine and once as a plain function, which needs
no task.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop

from kubehop.hop import logs, process
from kubehop.hop.calls import Call, CallContext
from kubehop.hop.client import ClientSettings, StageClient
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.storage.v1 import (
    GetRequest,
    GetResponse,
    Key,
    ListResponse,
    RevisionRequest,
    RevisionResponse,
    StorageRpcs,
)

AUDIT_ID = "5f0c2b8e-7a44-4a8e-9f0b-2d1f6f6b8a11"


class Memory:
    """Answers from memory. RPCs that the bench does not call raise."""

    def __init__(self, size: int) -> None:
        self._answer = b"x" * size

    async def get(self, request: GetRequest, call: Call) -> GetResponse:
        key = request.key
        call.log(key=f"/registry/{key.resource}/{key.namespace}/{key.name}")
        return GetResponse(object=self._answer, revision=4711, store_key="/registry/configmaps/default/settings")

    async def revision(self, _request: RevisionRequest, _call: Call) -> RevisionResponse:
        return RevisionResponse(revision=time.process_time_ns())

    async def _absent(self, _request: object, _call: Call) -> None:
        raise NotImplementedError

    create = update = delete = list_page = _absent

    async def _nothing(self, _request: object, _call: Call) -> AsyncIterator[ListResponse]:
        yield ListResponse()

    list = watch = _nothing


class Immediate(Memory):
    """The same without a task per call."""

    def get(self, request: GetRequest, call: Call) -> GetResponse:  # type: ignore[override]
        key = request.key
        call.log(key=f"/registry/{key.resource}/{key.namespace}/{key.name}")
        return GetResponse(object=self._answer, revision=4711, store_key="/registry/configmaps/default/settings")


async def serve(listen: str, size: int, immediate: bool, log: bool) -> None:
    logs.configure("storage", logs.LogSettings(level="info" if log else "error"))
    servicer = Immediate(size) if immediate else Memory(size)
    stage = Stage("storage", "kubehop.storage.v1")
    server = StageServer(stage, StorageRpcs.SERVICE, servicer, listen=listen)
    await server.start()
    server.set_serving(True)
    await process.until_stopped()
    await server.stop(1.0)


async def measure(client: StageClient, in_flight: int, seconds: float) -> tuple[float, float, float, float, float]:
    """Calls/s, p50 and p99 in ms, CPU µs per call of client and server."""
    latencies: list[float] = []
    end = 0.0
    request = GetRequest(key=Key(resource="configmaps", namespace="default", name="settings"))

    async def caller() -> None:
        while (began := time.perf_counter()) < end:
            context = CallContext(AUDIT_ID, "", time.time() + 30)
            await client.call(StorageRpcs.GET, request, context)
            latencies.append(time.perf_counter() - began)

    async def server_cpu() -> float:
        return (await client.call(StorageRpcs.REVISION, RevisionRequest())).revision / 1e9

    end = time.perf_counter() + 0.3
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    latencies.clear()
    of_server, of_client, began = await server_cpu(), time.process_time(), time.perf_counter()
    end = began + seconds
    await asyncio.gather(*(caller() for _ in range(in_flight)))
    took = time.perf_counter() - began
    of_client = time.process_time() - of_client
    of_server = await server_cpu() - of_server
    latencies.sort()
    calls = len(latencies)
    p50, p99 = latencies[calls // 2] * 1e3, latencies[min(calls - 1, calls * 99 // 100)] * 1e3
    return calls / took, p50, p99, of_client / calls * 1e6, of_server / calls * 1e6


async def compare(options: argparse.Namespace) -> None:
    print(f"{'way':<24}{'in flight':>10}{'calls/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'client µs':>11}{'server µs':>11}")
    for way, exchange, immediate in (
        ("unary", False, False),
        ("lane", True, False),
        ("lane, plain function", True, True),
    ):
        with tempfile.TemporaryDirectory() as folder:
            listen = f"unix:{folder}/stage.sock"
            arguments = ["--serve", listen, "--object-bytes", str(options.object_bytes)]
            arguments += ["--immediate"] if immediate else []
            arguments += ["--log"] if options.log else []
            with (Path(folder) / "log").open("wb") as log:
                child = await asyncio.create_subprocess_exec(sys.executable, __file__, *arguments, stderr=log)
            client = StageClient("storage", [listen], settings=ClientSettings(exchange=exchange))
            try:
                await client.wait_ready(20)
                for in_flight in map(int, options.in_flight.split(",")):
                    rate, p50, p99, of_client, of_server = await measure(client, in_flight, options.seconds)
                    print(
                        f"{way:<24}{in_flight:>10}{rate:>10,.0f}{p50:>9.2f}{p99:>9.2f}{of_client:>11.1f}{of_server:>11.1f}"
                    )
            finally:
                await client.close()
                child.terminate()
                await child.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Cost of a hop.")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--in-flight", default="1,32,256")
    parser.add_argument("--object-bytes", type=int, default=900)
    parser.add_argument("--log", action="store_true", help="write the stage's log line of each call")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--immediate", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        process.run(lambda: serve(options.serve, options.object_bytes, options.immediate, options.log))
    uvloop.run(compare(options))


if __name__ == "__main__":
    main()
