"""What the supervisor is to run: children with their command lines, their probes and their order.

Made by up.py from the settings, written to `run/plan.json`, and read by the supervisor, which is another process image
so that it stays small. The plan holds paths and no secret.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kubehop.cli.probe import Probe


@dataclass(frozen=True, slots=True)
class Child:
    """One process. Children of a lower tier are started first and stopped last.

    `address` is what a person is told, `waits_for` names children that must be ready before this one is started, and
    `grace` is the time in seconds between SIGTERM and SIGKILL.
    """

    name: str
    argv: tuple[str, ...]
    tier: int
    probe: Probe
    address: str
    waits_for: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    grace: float = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of one `kubehop up`. `began` is when the user pressed enter, in unix seconds."""

    children: tuple[Child, ...]
    server: str
    kubeconfig: str
    began: float
    detached: bool = False
    start_timeout: float = 60.0

    def write(self, path: Path) -> None:
        """Keep the plan for the supervisor to read."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Plan:
        """The plan that `write` wrote."""
        value: dict[str, Any] = json.loads(path.read_text())
        children = tuple(
            Child(**{**c, "argv": tuple(c["argv"]), "waits_for": tuple(c["waits_for"]), "probe": Probe(**c["probe"])})
            for c in value["children"]
        )
        return cls(**{**value, "children": children})


def python_module(module: str, *flags: str) -> tuple[str, ...]:
    """The command line of one of our own processes.

    -P keeps the current directory off the import path: `kubehop up` may be called beside somebody's own `services/`.
    """
    return (sys.executable, "-P", "-m", module, *flags)
