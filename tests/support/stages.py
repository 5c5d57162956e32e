"""Stages as real processes for functional tests, and an etcd for the storage stage."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass
class StageProcess:
    """A running stage, told apart by its module."""

    process: subprocess.Popen[bytes]
    listen: str
    log: Path

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Stop it in its tracks, connections open."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Undo pause."""
        os.kill(self.process.pid, signal.SIGCONT)


@contextlib.contextmanager
def stage(module: str, listen: Path, *flags: str) -> Iterator[StageProcess]:
    """Run `python -m module --listen unix:listen flags`; it ends with the block."""
    log = listen.with_suffix(".log")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--listen", f"unix:{listen}", *flags],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield StageProcess(process, f"unix:{listen}", log)
    finally:
        end(process)


@contextlib.contextmanager
def etcd(directory: Path) -> Iterator[str]:
    """Run an etcd of one's own; gives its URL."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        client, peer = (f"http://127.0.0.1:{each.getsockname()[1]}" for each in (one, other))
    process = subprocess.Popen(
        [
            *("etcd", "--data-dir", str(directory), "--log-level", "error", "--unsafe-no-fsync"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"default={peer}"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield client
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process, at once if it does not end in order."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
