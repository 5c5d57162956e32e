"""`make bench`: what a request costs, at 1 and 32 connections over TLS, held against its limits in the same run.

    python -m bench [--only requests|storage] [--seconds N] [--markdown FILE] [--server-flags "..."]

A benchmark, not a test: it prints figures and judges nothing. CPU is what each process spent per request, from /proc;
rates on a busy machine are noise, ratios within one run and CPU are not.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench import filling, limits, listing, load, patching, watching
from bench.load import Request
from bench.processes import Meter, Process, tree
from tests.support import up

TOKEN = "bench-token"
NAMESPACE = "bench"
BASE = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
JSON = {"Content-Type": "application/json"}


def config_map(name: str, labels: dict[str, str]) -> str:
    """A ConfigMap of about 1 KB."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "labels": labels},
            "data": {f"key-{i}": "x" * 90 for i in range(8)},
        }
    )


REQUESTS = [
    Request("GET", f"{BASE}/item-1"),
    Request("GET resourceVersion=0", f"{BASE}/item-1?resourceVersion=0"),
    Request("LIST 1,000 x 1 KB", BASE),
    Request("LIST, selector keeps a tenth", f"{BASE}?labelSelector=tenth%3Dtrue"),
    Request("CREATE", "/api/v1/namespaces/bench-create/configmaps", "POST", config_map("c-{n}", {}), JSON),
    Request(
        "PATCH (merge)",
        f"{BASE}/item-{{m}}",
        "PATCH",
        '{"data":{"key-0":"{n}"}}',
        {"Content-Type": "application/merge-patch+json"},
    ),
    Request(
        "PATCH (strategic)",
        f"{BASE}/item-{{m}}",
        "PATCH",
        '{"data":{"key-0":"{n}"}}',
        {"Content-Type": "application/strategic-merge-patch+json"},
    ),
    *patching.REQUESTS,
]


def call(server: str, path: str, method: str = "GET", body: str = "") -> bytes:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    request = urllib.request.Request(
        server + path, body.encode() or None, {"Authorization": f"Bearer {TOKEN}", **JSON}, method=method
    )
    with urllib.request.urlopen(request, context=context, timeout=30) as answer:
        return bytes(answer.read())


def fill(cluster: up.Cluster) -> None:
    """Two namespaces and 1,000 objects of 1 KB, a tenth of them labelled."""
    for namespace in (NAMESPACE, "bench-create"):
        call(cluster.server, "/api/v1/namespaces", "POST", json.dumps({"metadata": {"name": namespace}}))
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", cluster.port, context=context, timeout=30)
    for n in range(1000):
        labels = {"tenth": "true"} if n % 10 == 0 else {"tenth": "false"}
        body = config_map(f"item-{n}", labels)
        connection.request("POST", BASE, body, {"Authorization": f"Bearer {TOKEN}", **JSON})
        answer = connection.getresponse()
        if answer.status != 201:
            raise SystemExit(f"create failed: {answer.status} {answer.read()[:200]!r}")
        answer.read()
    connection.close()
    for name in ("patched", "applied"):
        call(cluster.server, patching.DEPLOYMENTS, "POST", patching.deployment(name))


def etcd_address(cluster: up.Cluster) -> str:
    """Host and port of the cluster's etcd."""
    command = [
        str(Path(sys.executable).parent / "kubehop"),
        "status",
        "--data-dir",
        str(cluster.data_dir),
        "-o",
        "json",
    ]
    processes = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["processes"]
    return str(next(p["address"] for p in processes if p["name"] == "etcd")).removeprefix("https://")


def start_seconds(data_dir: Path, tokens: Path) -> float:
    """Seconds from `kubehop up` to ready."""
    began = time.monotonic()
    with up.running("--token-auth-file", str(tokens), data_dir=data_dir, keep=True):
        return time.monotonic() - began


class Report:
    """Collects lines, prints them as they come."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, text: str = "") -> None:
        self.lines.append(text)
        print(text, flush=True)


def memory(report: Report, processes: list[Process]) -> None:
    report.line("| idle memory | resident MB | proportional MB |\n| --- | --- | --- |")
    total_rss = total_pss = 0
    for process in processes:
        rss, pss = process.memory_kib()
        total_rss, total_pss = total_rss + rss, total_pss + pss
        report.line(f"| {process.name} | {rss / 1024:.0f} | {pss / 1024:.0f} |")
    report.line(f"| all | {total_rss / 1024:.0f} | {total_pss / 1024:.0f} |\n")


def requests_table(report: Report, cluster: up.Cluster, seconds: float) -> dict[tuple[str, int], float]:
    processes = tree(cluster.process.pid)
    names = list(dict.fromkeys(p.name for p in processes if p.name != "supervisor"))
    columns = "| request | connections | requests/s | p50 ms | p99 ms | errors | CPU µs/request: all |"
    report.line(f"{columns} {' | '.join(names)} |")
    report.line("| --- " * (7 + len(names)) + "|")
    rates: dict[tuple[str, int], float] = {}
    for request in REQUESTS:
        for connections in (1, 32):
            load.run(cluster.server, request, connections, 1, TOKEN, seed=f"w{connections}")
            meter = Meter(processes)
            result = load.run(cluster.server, request, connections, seconds, TOKEN, seed=f"m{connections}")
            spent = meter.spent_us()
            each = [spent[n] / max(result.requests, 1) for n in names]
            rates[request.name, connections] = result.per_second
            report.line(
                f"| {request.name} | {connections} | {result.per_second:,.0f} "
                f"| {result.p50_ms:.2f} | {result.p99_ms:.2f} | "
                f"{result.errors} | {sum(each):,.0f} | {' | '.join(f'{e:,.0f}' for e in each)} |"
            )
    report.line()
    return rates


def limits_table(report: Report, cluster: up.Cluster, rates: dict[tuple[str, int], float], seconds: float) -> None:
    pki = cluster.data_dir / "pki"
    etcd = etcd_address(cluster)
    one, thousand = call(cluster.server, f"{BASE}/item-1"), call(cluster.server, BASE)
    report.line("| limit, same run | connections | requests/s | kubehop | ratio |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as scratch:
        body = Path(scratch) / "body"
        for bytes_, request, form in (
            (one, "GET", "application"),
            (one, "GET", "low-level"),
            (thousand, "LIST 1,000 x 1 KB", "application"),
        ):
            body.write_bytes(bytes_)
            serving = pki / "gateway"
            with limits.handler(serving / "serving.crt", serving / "serving.key", body, form) as (url, _):
                result = load.run(url, Request("bare", "/"), 32, seconds)
            mine = rates[request, 32]
            report.line(
                f"| bare aiohttp + uvloop TLS handler ({form}), {len(bytes_):,} bytes | 32 "
                f"| {result.per_second:,.0f} | "
                f"{request} {mine:,.0f} | {mine / result.per_second:.2f} |"
            )
    own = pki / "storage"
    credentials = tuple((own / name).read_bytes() for name in ("etcd-ca.crt", "etcd.key", "etcd.crt"))
    rate = asyncio.run(limits.raw_transactions(etcd, credentials, seconds))
    report.line(
        f"| raw etcd transactions, one grpc.aio client | 32 in flight | {rate:,.0f} | "
        f"CREATE {rates['CREATE', 32]:,.0f} | {rates['CREATE', 32] / rate:.2f} |\n"
    )


def storage_tables(report: Report, cluster: up.Cluster, seconds: float) -> None:
    """What the storage stage is held to: lists, consistent reads, watch fan-out, memory."""
    one, thousand = call(cluster.server, f"{BASE}/item-1"), call(cluster.server, BASE)
    tenth = call(cluster.server, f"{BASE}?labelSelector=tenth%3Dtrue")
    get, any_revision, whole, selected = REQUESTS[:4]
    rows = [
        (whole, None, thousand, 4),
        (selected, None, tenth, 4),
        (get, None, one, 32),
        (get, any_revision, one, 32),
    ]
    for line in listing.table(cluster, TOKEN, rows, seconds):
        report.line(line)
    call(cluster.server, "/api/v1/namespaces", "POST", json.dumps({"metadata": {"name": "bench-watch"}}))
    for line in watching.table(cluster, TOKEN, "bench-watch", seconds):
        report.line(line)
    own = cluster.data_dir / "pki" / "storage"
    credentials = tuple((own / name).read_bytes() for name in ("etcd-ca.crt", "etcd.key", "etcd.crt"))
    for line in filling.table(cluster, etcd_address(cluster), credentials):
        report.line(line)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="length of each measurement")
    parser.add_argument("--markdown", type=Path, help="also write the tables here")
    parser.add_argument("--server-flags", default="", help="more flags for kubehop up, for example '--gateways 2'")
    parser.add_argument("--only", choices=("requests", "storage"), default="", help="measure a part alone")
    args = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="kubehop-bench-") as scratch:
        data_dir, tokens = Path(scratch) / "data", Path(scratch) / "tokens.csv"
        tokens.write_text(f'{TOKEN},bench,uid-bench,"system:masters"\n')
        first, second = start_seconds(data_dir, tokens), start_seconds(data_dir, tokens)
        report.line(f"first start to ready {first:.1f} s, second start {second:.1f} s\n")
        with up.running(
            "--token-auth-file", str(tokens), *args.server_flags.split(), data_dir=data_dir, keep=True
        ) as cluster:
            time.sleep(3)
            memory(report, tree(cluster.process.pid))
            fill(cluster)
            if args.only in ("", "requests"):
                rates = requests_table(report, cluster, args.seconds)
                limits_table(report, cluster, rates, args.seconds)
            if args.only in ("", "storage"):
                storage_tables(report, cluster, args.seconds)
    if args.markdown:
        args.markdown.parent.mkdir(parents=True, exist_ok=True)
        args.markdown.write_text("\n".join(report.lines) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
