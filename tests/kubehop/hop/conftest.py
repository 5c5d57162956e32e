"""Fixtures of the transport's tests: stages in real processes, clients that are closed, certificates."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubehop.hop.client import ClientSettings, StageClient
from kubehop.hop.tls import TLSFiles

ROOT = Path(__file__).parents[3]
QUICK = ClientSettings(backoff_initial=0.02, backoff_max=0.1, connect_timeout=5.0)
"""Client settings that re-connect at the pace of a test."""


@dataclass
class StageProcess:
    """A stage in a process of its own."""

    process: asyncio.subprocess.Process
    address: str
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    async def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM, and wait for the end."""
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 20)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory with a short name: the path of a unix socket has little room."""
    path = Path(tempfile.mkdtemp(prefix="hop", dir="/tmp"))
    yield path
    shutil.rmtree(path)


StartStage = Callable[..., Awaitable[StageProcess]]


@pytest.fixture
async def start_stage(folder: Path) -> AsyncIterator[StartStage]:
    """Start a stage and wait until it listens; all are ended afterwards."""
    started: list[StageProcess] = []

    async def start(
        *flags: str, listen: str = "", module: str = "stage_process", positional: bool = False
    ) -> StageProcess:
        listen = listen or f"unix:{folder}/stage.sock"
        log = folder / f"log{len(started)}"
        arguments = [listen] if positional else ["--listen", listen, *flags]
        with log.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"tests.kubehop.hop.{module}",
                *arguments,
                cwd=ROOT,
                stdout=asyncio.subprocess.PIPE,
                stderr=stream,
                env={**os.environ, "LOG_FORMAT": "text"},
            )
        stage = StageProcess(process, "", log)
        started.append(stage)
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        stage.address = line.decode().strip()
        assert stage.address, log.read_text()
        return stage

    yield start
    for stage in started:
        if stage.process.returncode is None:
            await stage.kill()
        # the transport of the pipe is closed by the loop, not by the end of the process
        stage.process._transport.close()  # type: ignore[attr-defined]


StartClient = Callable[..., StageClient]


@pytest.fixture
async def new_client() -> AsyncIterator[StartClient]:
    """Make clients; all are closed afterwards."""
    clients: list[StageClient] = []

    def make(*targets: str, settings: ClientSettings = QUICK, tls: TLSFiles | None = None) -> StageClient:
        client = StageClient("storage", targets, settings=settings, tls=tls)
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.close()


@dataclass
class Authority:
    """A CA that signs certificates for hops."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        self.subject = subject
        certificate = (
            _builder(subject, subject, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.path = self.folder / f"{self.name}.crt"
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, common_name: str, *names: str) -> TLSFiles:
        """A certificate for both directions, valid for the DNS names and addresses `names`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        alternatives: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
        ]
        builder = _builder(subject, self.subject, key).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        files = TLSFiles(ca=self.path, cert=self.folder / f"{common_name}.crt", key=self.folder / f"{common_name}.key")
        files.cert.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(hours=1))
    )


@pytest.fixture
def authority(folder: Path) -> Authority:
    """The CA of the hops under test."""
    return Authority(folder, "hop-ca")
