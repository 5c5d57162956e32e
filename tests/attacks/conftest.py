"""A pipeline with every way in switched on, the objects that credentials rest on, and what must never be logged."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.attacks.forging import Forge
from tests.services.authentication.certificates import CLIENT, Issued, authority, issue, name
from tests.support import cluster as clusters

BOOTSTRAP_SECRET = "0123456789abcdef"
NAMESPACE = "attacked"


@dataclass
class Target:
    """What is attacked."""

    cluster: clusters.Cluster
    directory: Path
    forge: Forge
    authorities: dict[str, Issued]
    secrets: list[str] = field(default_factory=list)
    """Texts that no log may hold."""
    uids: dict[str, str] = field(default_factory=dict)

    def send(
        self, method: str, path: str, headers: list[tuple[str, str]], body: Any = None, certificate: str = ""
    ) -> tuple[int, dict[str, str], str]:
        """Send one request with just these headers; returns status, headers and text."""
        context = self.cluster.tls()
        if certificate:
            context.load_cert_chain(self.directory / f"{certificate}.crt", self.directory / f"{certificate}.key")
        return asyncio.run(_exchange(context, self.cluster.port, method, path, headers, body))

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Do something as the administrator; AssertionError unless it succeeds."""
        code, _, text = self.send(method, path, [("Authorization", "Bearer admin-token")], body)
        assert code in (200, 201), f"{method} {path}: {code} {text}"
        return json.loads(text)


async def _exchange(
    context: ssl.SSLContext, port: int, method: str, path: str, headers: list[tuple[str, str]], body: Any
) -> tuple[int, dict[str, str], str]:
    """Speak HTTP by hand, so that headers may be doubled and odd."""
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        payload = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(payload)}"]
        if payload:
            lines.append("Content-Type: application/json")
        lines += [f"{key}: {value}" for key, value in headers]
        writer.write("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + payload)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    if not answer:
        raise ConnectionResetError("closed without an answer")
    head, _, text = answer.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    found = dict(line.split(": ", 1) for line in rest if ": " in line)
    return int(first.split(" ")[1]), found, text.decode("utf-8", "replace")


def _write(directory: Path, title: str, made: Issued) -> None:
    (directory / f"{title}.crt").write_bytes(made.pem)
    key = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / f"{title}.key").write_bytes(key)


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The pipeline with its objects."""
    directory = tmp_path_factory.mktemp("attacks")
    now = dt.datetime.now(dt.UTC)
    lifetime = {"not_before": now - dt.timedelta(hours=1), "not_after": now + dt.timedelta(hours=1)}
    past = {"not_before": now - dt.timedelta(hours=3), "not_after": now - dt.timedelta(hours=2)}
    proxies, strangers = authority("proxy-ca", **lifetime), authority("stranger-ca", **lifetime)
    _write(directory, "proxy-ca", proxies)
    masters: x509.Name = name("admin", "system:masters")
    _write(directory, "proxy", issue(name("front-proxy"), proxies, usages=CLIENT, **lifetime))
    _write(directory, "proxy-late", issue(name("front-proxy"), proxies, usages=CLIENT, **past))
    _write(directory, "proxy-other", issue(name("somebody"), proxies, usages=CLIENT, **lifetime))
    _write(directory, "stranger", issue(masters, strangers, usages=CLIENT, **lifetime))
    _write(directory, "self-signed", issue(masters, usages=CLIENT, **lifetime))
    verbose = ("--log-level", "debug")
    flags = dict.fromkeys((*clusters.STAGES, "gateway"), verbose)
    flags["authentication"] = (
        *verbose,
        "--enable-bootstrap-token-auth=true",
        f"--requestheader-client-ca-file={directory / 'proxy-ca.crt'}",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    )
    flags["gateway"] = (*verbose, f"--requestheader-client-ca-file={directory / 'proxy-ca.crt'}")
    with clusters.running(flags) as running:
        key = running.directory / "service-accounts.key"
        made = Target(running, directory, Forge(key, NAMESPACE, "robot", ""), {"proxies": proxies})
        _objects(made)
        made.secrets += [line.split(",")[0] for line in clusters.TOKENS.splitlines()]
        made.secrets += [BOOTSTRAP_SECRET, *(line for line in key.read_text().splitlines() if "-----" not in line)]
        yield made


def _objects(target: Target) -> None:
    """Make the account, what tokens may be bound to, and bootstrap tokens."""
    target.admin("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    for account in ("robot", "gone"):
        made = target.admin("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": account}})
        target.uids[account] = made["metadata"]["uid"]
    target.forge.uid = target.uids["robot"]
    pod = {"serviceAccountName": "robot", "containers": [{"name": "c", "image": "i"}]}
    for title in ("alive", "dead"):
        body = {"metadata": {"name": title}, "spec": pod}
        made = target.admin("POST", f"/api/v1/namespaces/{NAMESPACE}/pods", body)
        target.uids[title] = made["metadata"]["uid"]
    made = target.admin("POST", f"/api/v1/namespaces/{NAMESPACE}/secrets", {"metadata": {"name": "kept"}})
    target.uids["kept"] = made["metadata"]["uid"]
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    good = {
        "token-secret": BOOTSTRAP_SECRET,
        "usage-bootstrap-authentication": "true",
        "expiration": later,
        "auth-extra-groups": "system:bootstrappers:workers",
    }
    variants = {
        "goodid": {},
        "lateid": {"expiration": "2020-01-01T00:00:00Z"},
        "unused": {"usage-bootstrap-authentication": "false"},
        "groups": {"auth-extra-groups": "system:masters"},
        "renamd": {"token-id": "another"},
        "notime": {"expiration": "tomorrow"},
    }
    for token_id, changes in variants.items():
        _bootstrap(target, token_id, {"token-id": token_id, **good, **changes})
    _bootstrap(target, "opaque", {"token-id": "opaque", **good}, kind="Opaque")


def _bootstrap(
    target: Target, token_id: str, data: dict[str, str], kind: str = "bootstrap.kubernetes.io/token"
) -> None:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    body = {"metadata": {"name": f"bootstrap-token-{token_id}"}, "type": kind, "data": encoded}
    target.admin("POST", "/api/v1/namespaces/kube-system/secrets", body)


__all__ = ["BOOTSTRAP_SECRET", "NAMESPACE", "Target", "target"]
