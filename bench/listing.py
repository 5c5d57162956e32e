"""Lists and consistent reads against their limits: the bare handler with the same body, and reads of any revision.

Rates alternate within the same seconds, so that a busy machine slows both sides of a ratio.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import limits, load
from bench.load import Request, Result
from bench.processes import Meter, tree
from tests.support import up


def alternating(sides: list[tuple[str, Request]], connections: int, seconds: float, token: str) -> list[float]:
    """Requests per second of each side, measured in turns."""
    turns = 3
    rates = [0.0] * len(sides)
    for _ in range(turns):
        for index, (server, request) in enumerate(sides):
            result: Result = load.run(server, request, connections, max(round(seconds / turns), 1), token)
            rates[index] += result.per_second / turns
    return rates


def table(
    cluster: up.Cluster, token: str, rows: list[tuple[Request, Request | None, bytes, int]], seconds: float
) -> list[str]:
    """A row for each (request, another request or None for the bare handler, its body, connections)."""
    pki = cluster.data_dir / "pki" / "gateway"
    lines = [
        "| request | connections | requests/s | compared with | requests/s | ratio | CPU µs/request |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    processes = tree(cluster.process.pid)
    with tempfile.TemporaryDirectory() as scratch:
        body = Path(scratch) / "body"
        for request, other, answer, connections in rows:
            meter = Meter(processes)
            alone = load.run(cluster.server, request, connections, max(round(seconds / 3), 1), token)
            cpu = sum(meter.spent_us().values()) / max(alone.requests, 1)
            if other is not None:
                mine, theirs = alternating(
                    [(cluster.server, request), (cluster.server, other)], connections, seconds, token
                )
                name = other.name
            else:
                body.write_bytes(answer)
                with limits.handler(pki / "serving.crt", pki / "serving.key", body) as (url, _):
                    sides = [(cluster.server, request), (url, Request("bare", "/"))]
                    mine, theirs = alternating(sides, connections, seconds, token)
                name = f"bare aiohttp handler, {len(answer):,} bytes"
            lines.append(
                f"| {request.name} | {connections} | {mine:,.0f} | {name} | {theirs:,.0f} | "
                f"{mine / max(theirs, 1):.2f} | {cpu:,.0f} |"
            )
    return [*lines, ""]
