"""The storage process as it is run: TLS to etcd, kill -9, a missing etcd, bad flags, memory."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from tests.services.storage.peers import EtcdProcess, Storage, StorageProcess, reason, until_healthy

CA_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test CA")])


@pytest.fixture
def process(tmp_path: Path) -> Iterator[StorageProcess]:
    """A storage process that is not started yet."""
    process = StorageProcess(tmp_path, [])
    yield process
    if process.process is not None and process.process.poll() is None:
        process.kill()


@pytest.fixture
async def client(process: StorageProcess) -> AsyncIterator[StageClient]:
    client = StageClient("storage", [process.target])
    await client.connect()
    yield client
    await client.close()


async def test_killed_process_loses_no_acknowledged_write(
    etcd: EtcdProcess, process: StorageProcess, client: StageClient
) -> None:
    """Under a writer the process is killed again and again: every acknowledged write is there afterwards."""
    process.flags = ["--etcd-servers", etcd.url, "--etcd-prefix", "/killed", "--log-level", "warning"]
    storage = Storage(client)
    process.start()
    await until_healthy(client)
    acknowledged: dict[str, int] = {}
    stop = asyncio.Event()

    async def write(writer: int) -> None:
        number = 0
        while not stop.is_set():
            name = f"w{writer}-{number:05}"
            number += 1
            try:
                acknowledged[name] = (await storage.create(name)).revision
            except HopError:
                await asyncio.sleep(0.01)

    writers = [asyncio.create_task(write(n)) for n in range(4)]
    for _ in range(3):
        await asyncio.sleep(0.3)
        process.kill()
        process.start()
        await until_healthy(client)
    await asyncio.sleep(0.2)
    stop.set()
    await asyncio.gather(*writers)
    listed = await storage.list()
    there = {item["metadata"]["name"]: int(item["metadata"]["resourceVersion"]) for item in listed.items}
    assert len(acknowledged) > 100
    assert {name: there.get(name) for name in acknowledged} == acknowledged
    assert process.stop() == 0


async def test_ends_watches_and_leaves_nothing_behind(
    etcd: EtcdProcess, process: StorageProcess, client: StageClient
) -> None:
    """SIGTERM ends the process promptly although watches are open; the socket is gone."""
    process.flags = ["--etcd-servers", etcd.url, "--etcd-prefix", "/ends"]
    process.start()
    await until_healthy(client)
    async with Storage(client).watch(resource_version="0") as events:
        await asyncio.sleep(0.1)
        assert process.process is not None
        process.process.terminate()
        async with asyncio.timeout(5):
            while process.process.poll() is None:
                await asyncio.sleep(0.02)
        assert process.process.returncode == 0
        await asyncio.wait([events.task] if events.task else [], timeout=5)
    assert not (process.directory / "stage.sock").exists()


async def test_etcd_is_awaited(tmp_path: Path, process: StorageProcess, client: StageClient) -> None:
    """Without etcd the process says so in one line, keeps trying, and serves once etcd is there."""
    etcd = EtcdProcess(tmp_path / "late")
    process.flags = ["--etcd-servers", etcd.url]
    process.start()
    async with asyncio.timeout(10):
        while "etcd is out of reach" not in process.log:
            await asyncio.sleep(0.05)
    assert process.log.count("etcd is out of reach") == 1
    assert "Traceback" not in process.log
    with pytest.raises(HopError) as caught:
        await client.wait_ready(0.5)
    assert caught.value.code.name == "UNAVAILABLE"
    etcd.start()
    try:
        await until_healthy(client)
        await Storage(client).create("a")
        assert (await Storage(client).get("a")).revision == 2
    finally:
        etcd.stop()
    assert process.stop() == 0


def test_bad_flags(tmp_path: Path) -> None:
    """Every problem has its line, and the exit status is 2."""
    command = [sys.executable, "-m", "services.storage"]
    flags = ["--listen", "127.0.0.1:1", "--etcd-servers", "localhost:2379", "--etcd-certfile", "/nowhere/cert.pem"]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "is no etcd URL" in done.stderr
    assert "/nowhere/cert.pem" in done.stderr
    assert "TCP needs --tls-cert-file" in done.stderr
    cert = tmp_path / "cert.pem"
    cert.write_text("x")
    flags = ["--listen", f"unix:{tmp_path}/s", "--etcd-servers", "https://localhost:2379", "--etcd-certfile", str(cert)]
    done = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2
    assert "--etcd-certfile and --etcd-keyfile belong together" in done.stderr


class Authority:
    """A CA that writes certificates into a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self._write("ca", self.key, self._certificate(CA_NAME, self.key.public_key(), ca=True))

    def issue(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._write(name, key, self._certificate(subject, key.public_key(), ca=False))

    def _certificate(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, ca: bool) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(CA_NAME)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def _write(self, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.path(name, "crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.path(name, "key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def path(self, name: str, kind: str) -> Path:
        return self.directory / f"{name}.{kind}"


async def test_tls_to_etcd(tmp_path: Path, process: StorageProcess, client: StageClient) -> None:
    """etcd that asks for client certificates is served with one, and out of reach without."""
    authority = Authority(tmp_path)
    for name in ("etcd", "storage"):
        authority.issue(name)
    files = {kind: str(authority.path("etcd", kind)) for kind in ("crt", "key")}
    etcd = EtcdProcess(
        tmp_path / "data",
        scheme="https",
        flags=[
            *("--cert-file", files["crt"], "--key-file", files["key"]),
            *("--client-cert-auth", "--trusted-ca-file", str(authority.path("ca", "crt"))),
        ],
    )
    etcd.start()
    try:
        without = ["--etcd-servers", etcd.url, "--etcd-cafile", str(authority.path("ca", "crt"))]
        process.flags = without
        process.start()
        async with asyncio.timeout(15):
            while "etcd is out of reach" not in process.log:
                await asyncio.sleep(0.05)
        process.stop()
        process.flags = [
            *without,
            *("--etcd-certfile", str(authority.path("storage", "crt"))),
            *("--etcd-keyfile", str(authority.path("storage", "key"))),
        ]
        process.start()
        await until_healthy(client)
        storage = Storage(client)
        async with storage.watch(resource_version="0") as events:
            created = await storage.create("a")
            assert await events.take(1) == [("ADDED", "a", created.revision)]
        assert (await storage.get("a")).revision == created.revision
        with pytest.raises(HopError) as caught:
            await storage.create("big", {"data": {"k": "x" * (1600 << 10)}})
        assert reason(caught.value) == "TOO_LARGE"
    finally:
        etcd.stop()


def resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no such process")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
async def test_memory_of_many_objects(etcd: EtcdProcess, process: StorageProcess, client: StageClient) -> None:
    """10,000 objects of 1 KB take 60 MB at most beyond the idle process, labels in use."""
    process.flags = ["--etcd-servers", etcd.url, "--etcd-prefix", "/memory", "--log-level", "warning"]
    process.start()
    await until_healthy(client)
    assert process.process is not None
    idle = resident_megabytes(process.process.pid)
    storage = Storage(client)
    content = {"data": {"k": "x" * 850}, "labels": {"app": "web", "tier": "1"}}
    names = iter([f"o-{n:05}" for n in range(10_000)])

    async def write() -> None:
        for name in names:
            await storage.create(name, content)

    await asyncio.gather(*(write() for _ in range(32)))
    assert len((await storage.list(label_selector="tier=1")).items) == 10_000
    used = resident_megabytes(process.process.pid) - idle
    assert used < 60, f"{used:.0f} MB"
