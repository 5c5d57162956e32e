"""A pipeline of one's own for functional tests: etcd, the four stages and the gateway, each a real process.

Started directly, without `kubehop up` (see tests.support.up for the whole product), so that a test may give each
process its own flags, kill one and start it again. Stages listen on unix sockets in a short temporary directory; the
gateway listens on a free loopback port with a generated serving certificate and the users of `TOKENS`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kubehop.cli import certificates

READY_SECONDS = 40.0
STAGES = ("storage", "authentication", "authorization", "admission")

TOKENS = """\
admin-token,admin,uid-admin,"system:masters"
alice-token,alice,uid-alice,"developers"
bob-token,bob,uid-bob,"viewers,auditors"
scheduler-token,system:kube-scheduler,uid-scheduler,
node-token,system:node:node-1,uid-node-1,"system:nodes"
"""


@dataclass
class Cluster:
    """A running pipeline."""

    directory: Path
    port: int
    commands: dict[str, list[str]] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def server(self) -> str:
        """The gateway's URL."""
        return f"https://127.0.0.1:{self.port}"

    def tls(self, *, user: str = "") -> ssl.SSLContext:
        """A client's TLS that trusts the gateway; with `user`, one of "admin", it presents that certificate."""
        context = ssl.create_default_context(cafile=str(self.directory / "ca.crt"))
        if user:
            context.load_cert_chain(self.directory / f"{user}.crt", self.directory / f"{user}.key")
        return context

    def log(self, name: str) -> str:
        """What a process has written so far."""
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def start(self, name: str) -> None:
        """Start a process (again)."""
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        """End a process; returns its exit status."""
        process = self.processes.pop(name)
        process.send_signal(number)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{name} did not end within 20 s\n{self.log(name)[-4000:]}") from None

    def wait_ready(self) -> None:
        """Wait until readyz is 200. AssertionError with the logs' ends otherwise."""
        end = time.monotonic() + READY_SECONDS
        answer = ""
        while time.monotonic() < end:
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise AssertionError(f"{name} exited {process.returncode}\n{self.log(name)[-4000:]}")
            try:
                with urllib.request.urlopen(f"{self.server}/readyz?verbose", timeout=5, context=self.tls()):
                    return
            except urllib.error.HTTPError as error:
                answer = error.read().decode(errors="replace")
            except OSError as error:
                answer = str(error)
            time.sleep(0.05)
        logs = "\n".join(f"--- {name}\n{self.log(name)[-2000:]}" for name in self.processes)
        raise AssertionError(f"not ready within {READY_SECONDS} s: {answer}\n{logs}")


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(flags: Mapping[str, Sequence[str]] | None = None, *, wait: bool = True) -> Iterator[Cluster]:
    """Run a pipeline until the block ends; `flags` adds command-line flags by process name."""
    directory = Path(tempfile.mkdtemp(prefix="kh-"))
    cluster = Cluster(directory, free_port())
    try:
        _write_certificates(directory)
        (directory / "tokens.csv").write_text(TOKENS)
        _plan(cluster, flags or {})
        for name in cluster.commands:
            cluster.start(name)
        if wait:
            cluster.wait_ready()
        yield cluster
    finally:
        for name in reversed(list(cluster.processes)):
            process = cluster.processes[name]
            if process.poll() is None:
                process.terminate()
        for process in cluster.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def _plan(cluster: Cluster, flags: Mapping[str, Sequence[str]]) -> None:
    directory = cluster.directory
    etcd = shutil.which("etcd")
    assert etcd is not None, "these tests need etcd on the PATH"
    clients, peers = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    sockets = {name: f"unix:{directory}/{name}.sock" for name in STAGES}
    cluster.commands["etcd"] = [
        etcd,
        "--data-dir",
        str(directory / "etcd"),
        "--listen-client-urls",
        clients,
        "--advertise-client-urls",
        clients,
        "--listen-peer-urls",
        peers,
        "--initial-advertise-peer-urls",
        peers,
        "--initial-cluster",
        f"default={peers}",
        "--log-level",
        "error",
    ]
    own = {
        "storage": ["--etcd-servers", clients],
        "authentication": [
            "--client-ca-file",
            f"{directory}/ca.crt",
            "--token-auth-file",
            f"{directory}/tokens.csv",
            "--service-account-signing-key-file",
            f"{directory}/service-accounts.key",
            "--storage",
            sockets["storage"],
        ],
        "authorization": ["--storage", sockets["storage"], "--authorization-mode", "Node,RBAC"],
        "admission": ["--storage", sockets["storage"], "--authorization", sockets["authorization"]],
    }
    for name in STAGES:
        cluster.commands[name] = [
            sys.executable,
            "-P",
            "-m",
            f"services.{name}",
            "--listen",
            sockets[name],
            *own[name],
            *flags.get(name, ()),
        ]
    cluster.commands["gateway"] = [
        sys.executable,
        "-P",
        "-m",
        "gateway",
        "--bind-address",
        "127.0.0.1",
        "--secure-port",
        str(cluster.port),
        "--tls-cert-file",
        f"{directory}/gateway.crt",
        "--tls-private-key-file",
        f"{directory}/gateway.key",
        "--client-ca-file",
        f"{directory}/ca.crt",
        "--allow-privileged",
        "true",
        *(part for name in STAGES for part in (f"--{name}", sockets[name])),
        *flags.get("gateway", ()),
    ]


def _write_certificates(directory: Path) -> None:
    now = dt.datetime.now(tz=dt.UTC)
    certificates.write_key(directory / "service-accounts.key", certificates.new_key())
    authority = certificates.new_authority("kubehop-test-ca", now)
    certificates.write_certificate(directory / "ca.crt", authority.certificate)
    subjects = {
        "gateway": certificates.Subject("gateway", names=("127.0.0.1", "localhost"), server=True),
        "admin": certificates.Subject("admin", organizations=("system:masters",), client=True),
    }
    for name, subject in subjects.items():
        key = certificates.new_key()
        certificate = certificates.issue(authority, subject, key.public_key(), now)
        certificates.write_certificate(directory / f"{name}.crt", certificate)
        certificates.write_key(directory / f"{name}.key", key)
