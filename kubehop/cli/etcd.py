"""etcd as a child of `kubehop up`: found on PATH, on loopback, behind mutual TLS, with its data in the data directory.

Called by up.py unless --etcd-servers names an etcd that runs already.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

from kubehop.cli import state
from kubehop.cli.errors import CommandError
from kubehop.cli.plan import Child
from kubehop.cli.probe import Probe

PORTS_FILE = "etcd-ports"


def find() -> str:
    """The etcd of this machine."""
    path = shutil.which("etcd")
    if path is None:
        how = "brew install etcd" if sys.platform == "darwin" else "apt-get install etcd-server"
        raise CommandError(
            f"etcd is not on PATH: install it ({how}, or unpack a release of github.com/etcd-io/etcd), "
            f"or name one that runs with --etcd-servers"
        )
    return path


def child(directory: state.DataDirectory, binary: str, *, unsafe_no_fsync: bool) -> Child:
    """A single member. Its client port is the same at each start when that port is free."""
    client_port, peer_port = _ports(directory.run / PORTS_FILE)
    own = directory.pki / "etcd"
    client, peer = f"https://127.0.0.1:{client_port}", f"https://127.0.0.1:{peer_port}"
    certificate, key, authority = str(own / "server.crt"), str(own / "server.key"), str(own / "etcd-ca.crt")
    flags = {
        "name": "kubehop",
        "data-dir": str(directory.etcd),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"kubehop={peer}",
        "client-cert-auth": "true",
        "trusted-ca-file": authority,
        "cert-file": certificate,
        "key-file": key,
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": authority,
        "peer-cert-file": certificate,
        "peer-key-file": key,
        # a member alone waits for nobody's vote: the default second before its first election is for clusters
        "heartbeat-interval": "20",
        "election-timeout": "200",
        # snapshots of the raft log are for slow followers; fewer entries keep its memory small
        "snapshot-count": "10000",
        "quota-backend-bytes": str(8 << 30),
        "logger": "zap",
        "log-outputs": "stderr",
        "log-level": "warn",
    }
    if unsafe_no_fsync:
        _require_unsafe_no_fsync(binary)
        flags["unsafe-no-fsync"] = "true"
    return Child(
        name="etcd",
        argv=(binary, *(f"--{name}={value}" for name, value in flags.items())),
        tier=0,
        probe=Probe(f"127.0.0.1:{client_port}", "/health", authority, certificate, key),
        address=client,
        grace=15.0,
    )


def _require_unsafe_no_fsync(binary: str) -> None:
    offered = subprocess.run([binary, "--help"], capture_output=True, text=True, check=False)
    if "--unsafe-no-fsync" not in offered.stdout + offered.stderr:
        version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
        raise CommandError(
            f"{binary} ({version.splitlines()[0] if version else 'unknown version'}) has no --unsafe-no-fsync: "
            f"leave the flag away, or install etcd 3.5 or newer"
        )


def _ports(remembered: Path) -> tuple[int, int]:
    """Two free loopback ports, the ones of the last start if they still are free."""
    try:
        wanted = [int(text) for text in remembered.read_text().split()]
    except (OSError, ValueError):
        wanted = []
    taken: list[socket.socket] = []
    try:
        for position in range(2):
            candidate = wanted[position] if position < len(wanted) else 0
            taken.append(_bind(candidate) or _bind(0) or _no_port())
        ports = taken[0].getsockname()[1], taken[1].getsockname()[1]
    finally:
        for held in taken:
            held.close()
    remembered.write_text(f"{ports[0]} {ports[1]}\n")
    return ports


def _bind(port: int) -> socket.socket | None:
    candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        candidate.bind(("127.0.0.1", port))
    except OSError:
        candidate.close()
        return None
    return candidate


def _no_port() -> socket.socket:
    raise CommandError("no free port on 127.0.0.1 for etcd")
