"""The gateway as a process: flags, port, stages that go away, shutdown."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys

import pytest

from tests.gateway.conftest import api_of
from tests.support import cluster as clusters
from tests.support.cluster import Cluster


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    """Run the gateway until it exits by itself."""
    command = [sys.executable, "-P", "-m", "gateway", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_all_problems_at_once() -> None:
    """Missing and wrong flags are each one clear line, and exit status 2."""
    done = run("--secure-port", "0", "--bind-address", "here", "--authentication", "nowhere")
    assert done.returncode == 2
    for flag in ("--secure-port", "--bind-address", "--authentication", "--storage", "--tls-cert-file"):
        assert f"python -m gateway: {flag}" in done.stderr
    assert "Traceback" not in done.stderr


def test_busy_port(pipeline: Cluster) -> None:
    """A port that somebody uses is one clear line and exit status 2."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        command = list(pipeline.commands["gateway"])[4:]
        command[command.index("--secure-port") + 1] = str(busy.getsockname()[1])
        done = run(*command)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "is in use" in done.stderr


@pytest.mark.slow
async def test_a_stage_away_is_503_and_comes_back() -> None:
    """While a stage is away clients are told which and when to come back; then all is well again."""
    with clusters.running() as running:
        async with api_of(running) as api:
            running.stop("authorization", signal.SIGKILL)
            async with api.request("GET", "/api/v1/namespaces") as answer:
                body = await answer.json()
                assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
                assert body["reason"] == "ServiceUnavailable"
                assert "authorization" in body["message"]
            running.start("authorization")
            for _ in range(100):
                code, _ = await api.call("GET", "/api/v1/namespaces")
                if code == 200:
                    break
                await asyncio.sleep(0.1)
            assert code == 200


@pytest.mark.slow
async def test_shutdown_finishes_what_is_in_flight() -> None:
    """On SIGTERM readyz fails, watches end properly, and the process exits 0."""
    with clusters.running({"gateway": ["--shutdown-delay-duration", "1s"]}) as running:
        async with api_of(running) as api, api.request("GET", "/api/v1/namespaces?watch=1&resourceVersion=0") as watch:
            assert watch.status == 200
            assert json.loads(await watch.content.readline())["type"] == "ADDED"
            gateway = running.processes["gateway"]
            gateway.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            code, text = await api.call("GET", "/readyz")
            assert code == 500
            assert "[-]shutdown failed: reason withheld" in text
            assert (await api.call("GET", "/version"))[0] == 200
            await watch.content.read()  # raises where the stream is cut off instead of ended
        assert await asyncio.to_thread(gateway.wait, 15) == 0
        assert "Traceback" not in running.log("gateway")
