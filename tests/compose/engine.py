"""A Docker engine for the compose test: the one that runs, else a dockerd of our own.

Our own one needs root. It gets no bridge and touches neither iptables nor forwarding of the host: compose's networks
are bridges that reach their own containers, published ports go through docker-proxy, and builds use the host's network.
Its data stays in the cache directory, so that a second run finds images and build layers.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "kubehop-test-images"
START_SECONDS = 30
STOP_SECONDS = 30


class UnavailableError(Exception):
    """Why there is no engine on this machine."""


@dataclass(frozen=True)
class Engine:
    """How to reach a Docker engine. `own` tells that we started it, and that it has no default bridge."""

    host: str
    own: bool

    @property
    def environment(self) -> dict[str, str]:
        """For docker and compose."""
        return {**os.environ, "DOCKER_HOST": self.host} if self.host else dict(os.environ)

    def docker(self, *arguments: str, check: bool = True, timeout: float = 120) -> str:
        """Run the docker client; what it printed. The error holds what it complained about."""
        done = subprocess.run(
            ["docker", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"docker {' '.join(arguments)} exited {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def has_image(self, name: str) -> bool:
        """Whether the engine holds an image."""
        return bool(self.docker("image", "ls", "--quiet", name))


@contextlib.contextmanager
def running() -> Iterator[Engine]:
    """An engine until the block ends; raises UnavailableError where there is none and none can be started."""
    if shutil.which("docker") is None:
        raise UnavailableError("no docker client on PATH (Debian: apt-get install docker.io)")
    present = Engine("", own=False)
    if _answers(present):
        yield present
        return
    dockerd = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if dockerd is None:
        raise UnavailableError(
            "no Docker engine runs, and there is no dockerd to start (Debian: apt-get install docker.io)"
        )
    if os.getuid() != 0:
        raise UnavailableError("no Docker engine runs, and only root can start one")
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnavailableError(f"another run uses {CACHE}") from None
        with _dockerd(dockerd) as engine:
            yield engine
            # results of earlier builds go, so that the cache does not grow with each run
            engine.docker("image", "prune", "--force", check=False)
            engine.docker("builder", "prune", "--force", "--keep-storage", "1gb", check=False)


@contextlib.contextmanager
def _dockerd(program: str) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory(prefix="khd-") as directory:
        errors = []
        for driver in ((), ("--storage-driver=vfs",)):  # the best that it finds, else the one that works anywhere
            engine, process = _start(program, Path(directory), driver)
            if engine is not None:
                break
            errors.append((Path(directory) / "dockerd.log").read_text()[-600:])
        else:
            raise UnavailableError(f"dockerd does not start: {errors[-1]}")
        try:
            yield engine
        finally:
            _stop(process)


def _start(
    program: str, directory: Path, driver: tuple[str, ...]
) -> tuple[Engine, subprocess.Popen[bytes]] | tuple[None, None]:
    engine = Engine(f"unix://{directory}/docker.sock", own=True)
    with (directory / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--data-root={CACHE / ('docker-vfs' if driver else 'docker')}",
                f"--exec-root={directory / 'exec'}",
                f"--pidfile={directory / 'docker.pid'}",
                f"--host={engine.host}",
                "--bridge=none",
                "--iptables=false",
                "--ip6tables=false",
                "--ip-forward=false",
                *driver,
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(engine):
            return engine, process
        time.sleep(0.2)
    _stop(process)
    return None, None


def _stop(process: subprocess.Popen[bytes]) -> None:
    """dockerd ends its containerd and what still runs in it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)


def _answers(engine: Engine) -> bool:
    try:
        return bool(engine.docker("info", "--format", "{{.ServerVersion}}", check=False, timeout=20))
    except subprocess.TimeoutExpired:
        return False
