"""The limits that the pipeline is held against, measured in the same run.

`handler`: a bare aiohttp + uvloop TLS handler that answers the same bytes, as the one route of an application or, lower
still, on aiohttp's own low-level server; run as a process of its own:
    python -m bench.limits {application|low-level} PORT CERT KEY BODYFILE
`raw_transactions`: create-if-absent transactions on etcd from one grpc.aio client, 32 in flight.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.processes import Process
from tests.support import up


def serve(form: str, port: int, cert: str, key: str, body: bytes) -> None:
    """Answer every request with `body`, as an `application` or `low-level`."""
    import uvloop
    from aiohttp import web

    async def main() -> None:
        async def handle(_request: web.BaseRequest) -> web.Response:
            return web.Response(body=body, content_type="application/json")

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(cert, key)
        runner: web.ServerRunner | web.AppRunner = web.ServerRunner(web.Server(handle))
        if form == "application":
            application = web.Application()
            application.router.add_route("*", "/{path:.*}", handle)
            runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        await asyncio.Event().wait()

    uvloop.run(main())


@contextlib.contextmanager
def handler(cert: Path, key: Path, body: Path, form: str = "application") -> Iterator[tuple[str, Process]]:
    """The bare handler in a process of its own."""
    port = up.free_port()
    command = [sys.executable, "-m", "bench.limits", form, str(port), str(cert), str(key), str(body)]
    with subprocess.Popen(command) as process:
        try:
            end = time.monotonic() + 10
            while not up.ready(port):  # it answers every path
                if process.poll() is not None or time.monotonic() > end:
                    raise SystemExit("the bare handler did not start")
                time.sleep(0.05)
            yield f"https://127.0.0.1:{port}", Process(process.pid, "handler")
        finally:
            process.terminate()


async def raw_transactions(endpoint: str, credentials: tuple[bytes, ...], seconds: float, in_flight: int = 32) -> float:
    """Transactions per second that etcd takes from one client."""
    import grpc
    from aetcd.rpc import rpc_pb2, rpc_pb2_grpc

    done = 0
    async with grpc.aio.secure_channel(endpoint, grpc.ssl_channel_credentials(*credentials)) as channel:
        kv = rpc_pb2_grpc.KVStub(channel)
        end = time.monotonic() + seconds

        async def client(number: int) -> None:
            nonlocal done
            count = 0
            while time.monotonic() < end:
                count += 1
                name = f"/bench/{number}/{count}".encode()
                absent = rpc_pb2.Compare(
                    key=name, target=rpc_pb2.Compare.MOD, result=rpc_pb2.Compare.EQUAL, mod_revision=0
                )
                put = rpc_pb2.RequestOp(request_put=rpc_pb2.PutRequest(key=name, value=b"x" * 1000))
                await kv.Txn(rpc_pb2.TxnRequest(compare=[absent], success=[put]))
                done += 1

        started = time.monotonic()
        await asyncio.gather(*(client(n) for n in range(in_flight)))
        rate = done / (time.monotonic() - started)
        await kv.DeleteRange(rpc_pb2.DeleteRangeRequest(key=b"/bench/", range_end=b"/bench0"))
    return rate


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], Path(sys.argv[5]).read_bytes())
