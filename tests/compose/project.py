"""One `docker compose` project of compose.yaml, with what this machine needs to build it."""

from __future__ import annotations

import ast
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.compose.engine import Engine

REPOSITORY = Path(__file__).resolve().parents[2]
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class Project:
    """compose.yaml under a name of its own, on a free port, with its kubeconfig in `directory`."""

    def __init__(self, engine: Engine, directory: Path, parameters: dict[str, str]) -> None:
        self.engine = engine
        self.name = f"kubehop-test-{os.getpid()}"
        self.port = _free_port()
        self.host_directory = directory / "host"
        self.host_directory.mkdir()
        self._override = directory / "override.json"
        self._override.write_text(json.dumps(_build_override(engine, directory)))
        self._environment = {
            **engine.environment,
            **parameters,
            "KUBEHOP_PORT": str(self.port),
            "KUBEHOP_IMAGE": "kubehop-test:latest",
            "KUBEHOP_KUBECONFIG_DIR": str(self.host_directory),
        }

    @property
    def kubeconfig(self) -> Path:
        """What the kubeconfig service wrote on the host."""
        return self.host_directory / "kubeconfig"

    def compose(self, *arguments: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run compose on this project."""
        program = Path(sys.executable).parent / "docker-compose"
        command = [str(program), "-p", self.name, "-f", str(REPOSITORY / "compose.yaml"), "-f", str(self._override)]
        done = subprocess.run(
            [*command, *arguments],
            env=self._environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"compose {' '.join(arguments)} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def python(self, service: str, program: str) -> str:
        """Run a Python program inside the container of a service; what it printed."""
        return self.compose("exec", "-T", service, "python", "-c", program, timeout=60).stdout.strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of the container of a service."""
        container = self.compose("ps", "--all", "--quiet", service).stdout.strip()
        found: list[dict[str, Any]] = json.loads(self.engine.docker("inspect", container))
        return found[0]

    def healthy(self, service: str) -> bool:
        """Whether the health check of a service says so."""
        return bool(self.inspect(service)["State"].get("Health", {}).get("Status") == "healthy")

    def kubectl(
        self, *arguments: str, stdin: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run stock kubectl on the host."""
        done = subprocess.run(
            self.kubectl_command(*arguments), input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"kubectl {' '.join(arguments)} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def kubectl_command(self, *arguments: str) -> list[str]:
        """The command line of kubectl for this project."""
        program = Path(sys.executable).parent / "kubectl"
        cache = self.host_directory / "kubectl-cache"
        return [str(program), "--kubeconfig", str(self.kubeconfig), "--cache-dir", str(cache), *arguments]

    def leftovers(self) -> list[str]:
        """Containers, volumes and networks of this project."""
        label = f"label=com.docker.compose.project={self.name}"
        listings = (("container", "ls", "--all"), ("volume", "ls"), ("network", "ls"))
        return [
            f"{listing[0]} {name}"
            for listing in listings
            for name in self.engine.docker(*listing, "--quiet", "--filter", label).split()
        ]


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for a condition, asking twice a second."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.5)


def _build_override(engine: Engine, directory: Path) -> dict[str, Any]:
    """How pip reaches its index from inside the build: this machine's settings, authorities and proxies."""
    (directory / "pip.conf").write_text(_pip_settings())
    build: dict[str, Any] = {
        "secrets": ["pip", "ca"],
        "args": {name: os.environ[name] for name in PROXIES if name in os.environ},
    }
    if engine.own:
        build["network"] = "host"  # this engine has no bridge towards the outside
    return {
        "services": {"pki": {"build": build}},
        "secrets": {"pip": {"file": str(directory / "pip.conf")}, "ca": {"file": _authorities()}},
    }


def _pip_settings() -> str:
    """pip's settings here, without those that name files and directories of this machine."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    lines = ["[global]"]
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        name, text = key.rsplit(".", maxsplit=1)[-1], str(ast.literal_eval(value))
        if name not in ("cert", "find-links", "cache-dir") and "file:" not in text:
            lines.append(f"{name} = {text}")
    return "\n".join(lines) + "\n"


def _authorities() -> str:
    named = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if named and Path(named).is_file():
        return named
    from pip._vendor import certifi

    return certifi.where()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
