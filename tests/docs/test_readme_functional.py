"""The README's tour, run: every command works, and prints what the README says it prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import up

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
ELSEWHERE = ("kubehop up", "export ", "python examples/stages/")
"""Started by the fixture, or run by the test of that example."""
VOLATILE = re.compile(
    r"\d+:\d+:\d+\.\d+|\b[0-9a-f]{8}\b|[\d.]+ m?s\b|/home/you\S*|:\d+\b|\d+>\d+|revision=\d+|\b\d+s\b"
)


def commands() -> list[tuple[str, list[str]]]:
    """Each command of the README with the lines that it is said to print."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall((ROOT / "README.md").read_text()):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found and line.strip() not in {"", "..."}:
                found[-1][1].append(line)
    return [(command, lines) for command, lines in found if not command.startswith(ELSEWHERE)]


def words(text: str) -> set[str]:
    """What is the same on every run."""
    return set(VOLATILE.sub(" ", text).split())


@pytest.fixture(scope="module")
def cluster() -> Iterator[up.Cluster]:
    """A running kubehop."""
    with up.running() as running:
        yield running


def test_the_tour(cluster: up.Cluster) -> None:
    """Every command of the tour in order, against one server."""
    listed = commands()
    assert len(listed) >= 5
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "KUBECONFIG": str(cluster.kubeconfig),
        "KUBEHOP_DATA_DIR": str(cluster.data_dir),
        "KUBECACHEDIR": str(cluster.data_dir / "kubectl-cache"),
    }
    for command, lines in listed:
        done = subprocess.run(
            shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        printed = done.stdout + done.stderr
        assert done.returncode == (1 if any("Error from server" in line for line in lines) else 0), printed
        for line in lines:
            missing = words(line) - words(printed)
            assert not missing, f"$ {command}\nprinted\n{printed}\nwithout {missing} of\n{line}"
