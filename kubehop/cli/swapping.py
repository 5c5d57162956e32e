"""Stages that run elsewhere: `kubehop up --authorization unix:/tmp/mine.sock` starts no authorization of its own.

Called by up.py on the finished list of children: the swapped stage's own process goes, and whoever calls that stage is
given the new address. Stages reached over TCP are called with mutual TLS and the process's own hop certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from kubehop.cli import state
from kubehop.cli.plan import Child

STAGES: Final = ("authentication", "authorization", "admission", "storage")


def problems(targets: Mapping[str, str]) -> list[str]:
    """What is wrong with the addresses, a line each."""
    found = []
    for stage, addresses in targets.items():
        for address in addresses.split(","):
            path = address.removeprefix("unix:")
            if address.startswith("unix:"):
                if not Path(path).is_absolute():
                    found.append(f"--{stage} {address}: the path of a unix socket must be absolute")
                elif not Path(path).is_socket():
                    found.append(f"--{stage} {address}: no socket is there; start that stage first")
                continue
            host, colon, port = address.rpartition(":")
            if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
                found.append(f"--{stage} {address}: write unix:/path or host:port")
    return found


def swap(children: Iterable[Child], targets: Mapping[str, str], directory: state.DataDirectory) -> tuple[Child, ...]:
    """The children without the swapped stages, calling what stands in their place."""
    own = {stage: f"unix:{directory.sockets() / f'{stage}.sock'}" for stage in targets}
    kept = []
    for child in children:
        if child.name in targets or (child.name == "etcd" and "storage" in targets):
            continue
        argv = list(child.argv)
        remote = False
        for stage, target in targets.items():
            for index, word in enumerate(argv):
                if word in (own[stage], f"--{stage}={own[stage]}"):
                    argv[index] = word.replace(own[stage], target)
                    remote = remote or not target.startswith("unix:")
        if remote:
            argv += _hop_files(directory.pki / child.name.split("-")[0], "hop" if "gateway" in child.name else "tls")
        waits_for = tuple(name for name in child.waits_for if name not in targets)
        kept.append(replace(child, argv=tuple(argv), waits_for=waits_for))
    return tuple(kept)


def _hop_files(own: Path, prefix: str) -> list[str]:
    return [
        f"--{prefix}-cert-file={own / 'hop.crt'}",
        f"--{prefix}-key-file={own / 'hop.key'}",
        f"--{prefix}-ca-file={own / 'hops-ca.crt'}",
    ]
