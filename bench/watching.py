"""Watch fan-out: many watchers of one collection, one creator; how late and how many events arrive.

The driver is a process of its own that reads every watch over TLS and sends the creates:
    python -m bench.watching SERVER TOKEN NAMESPACE WATCHERS RATE SECONDS     (RATE 0: as fast as one client can send)
It prints one JSON line; `table` runs it and turns that into rows.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast

from bench.processes import Meter, Process, tree
from tests.support import up

_NAME = re.compile(rb'"name":"w-(\d+)"')
_EVENT = b'{"type":"'
_DRAIN_SECONDS = 10.0
IN_FLIGHT = 8
"""Creates that the one client has in flight when it sends as fast as it can."""
BODY = {"data": {f"key-{i}": "x" * 90 for i in range(8)}}


@dataclass
class Outcome:
    """What one run of the driver saw."""

    watchers: int
    creates: int
    expected: int
    delivered: int
    per_second: float
    p50_ms: float
    p99_ms: float


class Watch(asyncio.Protocol):
    """One watch; notes when each event arrives, or only counts them."""

    def __init__(self, request: bytes, seen: dict[int, float], left: dict[int, int], *, timed: bool) -> None:
        self._request = request
        self._seen, self._left, self._timed = seen, left, timed
        self._tail = b""
        self.opened = asyncio.get_running_loop().create_future()
        self.count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)  # uvloop's is not registered as one

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            if b" 200 " not in data[:64]:
                raise SystemExit(f"the watch was refused: {data[:300]!r}")
            self.opened.set_result(None)
        data = self._tail + data
        if not self._timed:
            self.count += data.count(_EVENT)
            self._tail = data[-len(_EVENT) + 1 :]
            return
        now, end = time.perf_counter(), 0
        for found in _NAME.finditer(data):
            end = found.end()
            number = int(found[1])
            self.count += 1
            self._left[number] = self._left.get(number, 0) + 1
            self._seen[number] = now  # the last watcher's counts
        self._tail = data[max(end, len(data) - 64) :]


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def drive(server: str, token: str, namespace: str, watchers: int, rate: float, seconds: float) -> Outcome:
    """Open the watches, create objects, wait for the last event."""
    host, _, port = server.removeprefix("https://").partition(":")
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    head = f"Host: {host}\r\nAuthorization: Bearer {token}\r\n"
    loop, context = asyncio.get_running_loop(), _context()
    connections = [await asyncio.open_connection(host, int(port), ssl=context) for _ in range(1 if rate else IN_FLIGHT)]

    async def call(method: str, target: str, body: bytes = b"", connection: int = 0) -> tuple[int, bytes]:
        reader, writer = connections[connection]
        lines = (
            f"{method} {target} HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(lines.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", answer)
        if length is None:
            raise SystemExit(f"unexpected answer: {answer[:200]!r}")
        return int(answer[9:12]), await reader.readexactly(int(length[1]))

    status, body = await call("GET", f"{path}?limit=1")
    if status != 200:
        raise SystemExit(f"cannot list: {status} {body[:200]!r}")
    since = json.loads(body)["metadata"]["resourceVersion"]
    request = f"GET {path}?watch=true&resourceVersion={since} HTTP/1.1\r\n{head}\r\n".encode()
    seen: dict[int, float] = {}
    left: dict[int, int] = {}
    watches = []
    for _ in range(watchers):
        _, watch = await loop.create_connection(
            lambda: Watch(request, seen, left, timed=rate > 0), host, int(port), ssl=context
        )
        watches.append(watch)
    await asyncio.gather(*(watch.opened for watch in watches))
    await asyncio.sleep(0.5)

    sent: dict[int, float] = {}
    run = int(time.time() * 1000)  # names of another run are not mistaken for ours
    began = time.perf_counter()

    async def create(connection: int) -> None:
        while (now := time.perf_counter()) - began < seconds:
            if rate and (due := began + len(sent) / rate) > now:
                await asyncio.sleep(due - now)
            number = run * 100_000 + len(sent)
            obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"w-{number}"}, **BODY}
            sent[number] = time.perf_counter()
            status, body = await call("POST", path, json.dumps(obj).encode(), connection)
            if status != 201:
                raise SystemExit(f"create failed: {status} {body[:200]!r}")

    await asyncio.gather(*(create(n) for n in range(len(connections))))
    expected = len(sent) * watchers
    end = time.perf_counter() + _DRAIN_SECONDS
    # the readers do nothing but count
    while sum(watch.count for watch in watches) < expected and time.perf_counter() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    took = time.perf_counter() - began
    delivered = sum(watch.count for watch in watches)
    late = sorted((seen[n] - at) * 1000 for n, at in sent.items() if left.get(n) == watchers) or [0.0]
    p50, p99 = late[len(late) // 2], late[min(len(late) - 1, len(late) * 99 // 100)]
    return Outcome(watchers, len(sent), expected, delivered, delivered / took, p50, p99)


def run(cluster: up.Cluster, token: str, namespace: str, watchers: int, rate: float, seconds: float) -> Outcome:
    """The driver in a process of its own."""
    arguments = (cluster.server, token, namespace, str(watchers), str(rate), str(seconds))
    command = [sys.executable, "-m", "bench.watching", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return Outcome(**json.loads(done.stdout))


def table(cluster: up.Cluster, token: str, namespace: str, seconds: float) -> list[str]:
    """Rows for 200 watchers at 20 creates a second, at full speed, and for 1,000."""
    processes: list[Process] = tree(cluster.process.pid)
    names = list(dict.fromkeys(p.name for p in processes if p.name != "supervisor"))
    lines = [
        "| watchers | creates/s | deliveries/s | missing | p50 ms | p99 ms | CPU µs/delivery: "
        + " | ".join(names)
        + " |",
        "| --- " * (6 + len(names)) + "|",
    ]
    for watchers, rate in ((200, 20.0), (200, 0.0), (1000, 5.0)):
        meter = Meter(processes)
        found = run(cluster, token, namespace, watchers, rate, seconds)
        spent = meter.spent_us()
        each = " | ".join(f"{spent[name] / max(found.delivered, 1):.1f}" for name in names)
        pace = f"{found.creates / seconds:,.0f}" + ("" if rate else " (all it can)")
        late = f"{found.p50_ms:.1f} | {found.p99_ms:.1f}" if rate else "- | -"
        missing = found.expected - found.delivered
        lines.append(f"| {watchers:,} | {pace} | {found.per_second:,.0f} | {missing} | {late} | {each} |")
    return [*lines, ""]


def main() -> None:
    """Be the driver."""
    import uvloop

    server, token, namespace, watchers, rate, seconds = sys.argv[1:]
    outcome = uvloop.run(drive(server, token, namespace, int(watchers), float(rate), float(seconds)))
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
