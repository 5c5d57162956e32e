"""Encryption at rest against a real etcd and a real KMS plugin: what lies in etcd, rotation, failures, reloads."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.secret import SecretBox

from kubehop.hop.errors import HopError
from services.storage.encryption import kms, sealed, vault
from services.storage.encryption.configuration import ConfigurationError, parse
from services.storage.etcd import Etcd
from services.storage.settings import EtcdSettings
from tests.services.storage.peers import EtcdProcess, reason, running

PLUGIN = Path(__file__).parents[3] / "examples" / "kms-plugin" / "plugin.py"
ONE, TWO = b"1" * 32, b"2" * 32
SECRETS = {"resource": "secrets"}


def keys(kind: str, *named: tuple[str, bytes]) -> dict[str, Any]:
    return {kind: {"keys": [{"name": name, "secret": base64.b64encode(secret).decode()} for name, secret in named]}}


def write(path: Path, *rules: tuple[list[str], list[dict[str, Any]]]) -> Path:
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{"resources": resources, "providers": providers} for resources, providers in rules],
    }
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def etcd_settings(etcd: EtcdProcess, etcd_settings: EtcdSettings, tmp_path: Path) -> EtcdSettings:
    return replace(etcd_settings, encryption_file=tmp_path / "encryption.yaml")


async def raw(settings: EtcdSettings, key: str) -> bytes:
    etcd = Etcd(settings)
    try:
        found, _ = await etcd.get(key)
    finally:
        await etcd.close()
    assert found is not None
    return found.value


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await check():
            await asyncio.sleep(0.05)


@contextlib.contextmanager
def plugin(directory: Path) -> Iterator[subprocess.Popen[str]]:
    (directory / "keys.json").write_text(json.dumps({"current": "1", "keys": {"1": base64.b64encode(ONE).decode()}}))
    command = [sys.executable, str(PLUGIN), str(directory / "kms.sock"), str(directory / "keys.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "serving" in process.stdout.readline()
            yield process
        finally:
            process.terminate()


@pytest.mark.parametrize("kind", ["aesgcm", "aescbc", "secretbox"])
async def test_values_lie_sealed_in_etcd(kind: str, etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """With each cipher the value in etcd has kube-apiserver's prefix and nothing readable; reads see the object."""
    assert etcd_settings.encryption_file
    write(etcd_settings.encryption_file, (["secrets"], [keys(kind, ("key1", ONE)), {"identity": {}}]))
    key = f"{etcd_settings.prefix}/secrets/default/a"
    async with running(etcd_settings, tmp_path) as stage:
        storage = stage.storage
        async with storage.watch(storage.key(**SECRETS)) as events:
            created = await storage.create("a", {"data": {"password": "hunter2"}}, **SECRETS)
            assert (await events.next()).object == created.object
        value = await raw(etcd_settings, key)
        assert value.startswith(f"k8s:enc:{kind}:v1:key1:".encode())
        assert b"password" not in value
        assert (await storage.get("a", **SECRETS)).object == created.object
        listed = await storage.list(storage.key(**SECRETS))
        assert listed.items[0]["data"] == {"password": "hunter2"}
        updated = await storage.update("a", {"data": {"password": "new"}}, created.revision, **SECRETS)
        same = await storage.update("a", {"data": {"password": "new"}}, updated.revision, **SECRETS)
        assert same.unchanged
        await storage.create("plain", {"data": {"k": "v"}})
        assert (await raw(etcd_settings, f"{etcd_settings.prefix}/configmaps/default/plain")).startswith(b"{")
    # a stage that begins with sealed values
    async with running(etcd_settings, tmp_path) as stage:
        assert orjson.loads((await stage.storage.get("a", **SECRETS)).object)["data"] == {"password": "new"}
        assert (await stage.storage.delete("a", **SECRETS)).revision


async def test_formats_are_kube_apiservers(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """Values open as the formats say: AES-GCM authenticates the etcd key, secretbox is NaCl's."""
    assert etcd_settings.encryption_file
    rules = ((["secrets"], [keys("aesgcm", ("k", ONE))]), (["configmaps"], [keys("secretbox", ("k", ONE))]))
    write(etcd_settings.encryption_file, *rules)
    async with running(etcd_settings, tmp_path) as stage:
        await stage.storage.create("a", {"x": 1}, **SECRETS)
        await stage.storage.create("a", {"x": 2})
        key = f"{etcd_settings.prefix}/secrets/default/a"
        value = (await raw(etcd_settings, key)).removeprefix(b"k8s:enc:aesgcm:v1:k:")
        assert orjson.loads(AESGCM(ONE).decrypt(value[:12], value[12:], key.encode()))["x"] == 1
        box = await raw(etcd_settings, f"{etcd_settings.prefix}/configmaps/default/a")
        assert orjson.loads(SecretBox(ONE).decrypt(box.removeprefix(b"k8s:enc:secretbox:v1:k:")))["x"] == 2
        # a value moved to another key does not open
        etcd = Etcd(etcd_settings)
        await etcd.put_if(f"{etcd_settings.prefix}/secrets/default/moved", 0, await raw(etcd_settings, key))
        await etcd.close()
        with pytest.raises(HopError) as caught:
            await stage.storage.get("moved", **SECRETS)
        assert reason(caught.value) == "CORRUPT"
        assert "message authentication failed" in caught.value.message
        assert caught.value.message.startswith(
            f'unable to transform key "{etcd_settings.prefix}/secrets/default/moved"'
        )


async def test_rotation_and_reload(
    etcd_settings: EtcdSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A changed file is read anew: new writes use the first key, an unchanged update seals anew, a removed key fails
    closed until it is back, a broken file changes nothing."""
    monkeypatch.setattr(vault, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(sealed, "RETRY_SECONDS", 0.05)
    path = etcd_settings.encryption_file
    assert path
    old, new = keys("aescbc", ("key1", ONE)), keys("aesgcm", ("key2", TWO))
    write(path, (["*.*"], [old]))
    key = f"{etcd_settings.prefix}/secrets/default/a"
    async with running(etcd_settings, tmp_path) as stage:
        storage = stage.storage
        created = await storage.create("a", {"x": 1}, **SECRETS)
        write(path, (["*.*"], [new, old]))

        async def sealed_anew() -> bool:
            current = await storage.get("a", **SECRETS)
            await storage.update("a", {"x": 1}, current.revision, **SECRETS)
            return (await raw(etcd_settings, key)).startswith(b"k8s:enc:aesgcm:v1:key2:")

        await eventually(sealed_anew)
        moved = await storage.get("a", **SECRETS)
        assert moved.revision > created.revision
        path.write_text("kind: nonsense")
        await asyncio.sleep(0.2)
        assert (await storage.create("b", {"x": 2}, **SECRETS)).revision
    write(path, (["secrets"], [old]))
    async with running(etcd_settings, tmp_path) as stage:
        with pytest.raises(HopError) as caught:
            await stage.storage.list(stage.storage.key(**SECRETS))
        assert reason(caught.value) == "CORRUPT"
        assert "no matching prefix found" in caught.value.message
        write(path, (["secrets"], [old, new]))

        async def opens() -> bool:
            with contextlib.suppress(HopError):
                return len((await stage.storage.list(stage.storage.key(**SECRETS))).items) == 2
            return False

        await eventually(opens)


async def test_kms_plugin(etcd_settings: EtcdSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example plugin seals seeds; its key rotates; without it new seeds cannot be had, and writes fail closed."""
    monkeypatch.setattr(kms, "HEALTHY_SECONDS", 0.1)
    monkeypatch.setattr(kms, "FAILING_SECONDS", 0.1)
    monkeypatch.setattr(kms, "FAILED_SECONDS", 0.1)
    monkeypatch.setattr(sealed, "RETRY_SECONDS", 0.1)
    assert etcd_settings.encryption_file
    provider = {
        "kms": {"apiVersion": "v2", "name": "local", "endpoint": f"unix://{tmp_path}/kms.sock", "timeout": "1s"}
    }
    write(etcd_settings.encryption_file, (["*."], [provider]))
    key = f"{etcd_settings.prefix}/secrets/default/a"
    with plugin(tmp_path):
        async with running(etcd_settings, tmp_path) as stage:
            storage = stage.storage
            created = await storage.create("a", {"password": "hunter2"}, **SECRETS)
            first = await raw(etcd_settings, key)
            assert first.startswith(b"k8s:enc:kms:v2:local:")
            assert b"hunter2" not in first
            named = {"1": base64.b64encode(ONE).decode(), "2": base64.b64encode(TWO).decode()}
            (tmp_path / "keys.json").write_text(json.dumps({"current": "2", "keys": named}))

            async def rotated() -> bool:
                current = await storage.get("a", **SECRETS)
                await storage.update("a", {"password": "hunter2"}, current.revision, **SECRETS)
                return (await storage.get("a", **SECRETS)).revision > created.revision

            await eventually(rotated)
        # another process has to ask the plugin for both
        async with running(etcd_settings, tmp_path) as stage:
            assert orjson.loads((await stage.storage.get("a", **SECRETS)).object)["password"] == "hunter2"
    async with running(etcd_settings, tmp_path) as stage:
        for attempt in (stage.storage.get("a", **SECRETS), stage.storage.create("b", {"x": 1}, **SECRETS)):
            with pytest.raises(HopError) as caught:
                await attempt
            assert "unable to transform key" in caught.value.message
        with plugin(tmp_path):
            named = {"1": base64.b64encode(ONE).decode(), "2": base64.b64encode(TWO).decode()}
            (tmp_path / "keys.json").write_text(json.dumps({"current": "2", "keys": named}))

            async def back() -> bool:
                with contextlib.suppress(HopError):
                    await stage.storage.create("b", {"x": 1}, **SECRETS)
                    return bool((await stage.storage.get("a", **SECRETS)).object)
                with contextlib.suppress(HopError):
                    return bool(
                        (await stage.storage.get("a", **SECRETS)).object and (await stage.storage.get("b", **SECRETS))
                    )
                return False

            await eventually(back)


def test_configuration_problems_are_all_told_and_hold_no_secret(tmp_path: Path) -> None:
    """Every mistake is named with its place, in kube-apiserver's words where it has some; keys never appear."""
    short = base64.b64encode(b"short-secret").decode()
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [
            {"resources": ["Secrets", "*"], "providers": [{"aesgcm": {"keys": [{"name": "a", "secret": short}]}}]},
            {"resources": ["*.*", "pods"], "providers": [{"identity": {}, "aescbc": {}}, {"typo": {}}]},
            {
                "resources": ["leases.coordination.k8s.io"],
                "providers": [{"kms": {"name": "a:b", "endpoint": "tcp://x"}}],
            },
        ],
    }
    with pytest.raises(ConfigurationError) as caught:
        parse(yaml.safe_dump(document).encode())
    text = "\n".join(caught.value.problems)
    for expected in (
        "resource name should not contain capital letters",
        "use '*.' to encrypt all the resources from core API group",
        "secret is not of the expected length, got 12, expected one of [16 24 32]",
        "more than one provider specified in a single element",
        'unknown field "resources[1].providers[1].typo"',
        "using overlapping resources",
        "must not contain ':'",
        'unsupported scheme "tcp"',
        'resource "leases.coordination.k8s.io" is masked by earlier rule "*.*"',
    ):
        assert expected in text
    assert short not in text
    assert "short-secret" not in text


async def test_rules_choose_by_resource_and_group(etcd_settings: EtcdSettings, tmp_path: Path) -> None:
    """A resource's own rule comes before its group's, and that before the rule for everything."""
    assert etcd_settings.encryption_file
    rules = [
        (["secrets"], [keys("aesgcm", ("own", ONE))]),
        (["*.apps"], [keys("aesgcm", ("group", ONE))]),
        (["*.*"], [keys("aesgcm", ("all", ONE))]),
    ]
    path = write(etcd_settings.encryption_file, *rules)
    found = vault.Vault(path, "/registry/")
    await found.start()
    for key, name in (
        ("/registry/secrets/default/a", b"own"),
        ("/registry/deployments/default/a", b"group"),
        ("/registry/services/specs/default/a", b"all"),
        ("/registry/example.com/widgets/default/a", b"all"),
        ("/registry/events/default/a", b"all"),
    ):
        sealed_value = await found.transformer(key).seal(b"{}", key.encode())
        assert sealed_value.startswith(b"k8s:enc:aesgcm:v1:" + name + b":")
    await found.close()


async def test_a_wrong_file_stops_the_start(stage_flags_file: Path, etcd: EtcdProcess, tmp_path: Path) -> None:
    """The process ends with status 2 and says what is wrong with the file."""
    command = [sys.executable, "-m", "services.storage", "--listen", f"unix:{tmp_path}/s.sock"]
    command += ["--etcd-servers", etcd.url, "--encryption-provider-config", str(stage_flags_file)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "at least one resources is required" in done.stdout + done.stderr


@pytest.fixture
def stage_flags_file(tmp_path: Path) -> Path:
    return write(tmp_path / "wrong.yaml")
