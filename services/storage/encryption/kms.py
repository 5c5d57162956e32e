"""Envelope encryption with a KMS v2 plugin: each object under a key of its own, derived from a seed the plugin seals.

The plugin is asked for its state every minute and to seal a new seed whenever its key has changed; objects are sealed
without it. Opening asks it once per seed. Format and rules: kubernetes/apiserver
pkg/storage/value/encrypt/envelope/kmsv2/envelope.go, pkg/storage/value/encrypt/aes/aes_extended_nonce.go and
pkg/server/options/encryptionconfig/config.go (kmsv2PluginProbe).
"""

from __future__ import annotations

import asyncio
import os
import uuid
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import grpc
import grpc.aio
import structlog
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from google.protobuf.message import DecodeError

from services.storage.encryption import kms_messages as messages
from services.storage.encryption.ciphers import AesGcm
from services.storage.encryption.configuration import Kms
from services.storage.encryption.transformers import Opened, Transformer, TransformError

_log = structlog.get_logger("storage.encryption")
HEALTHY_SECONDS, FAILING_SECONDS = 60.0, 10.0
"""Pauses between looks at the plugin."""
FAILED_SECONDS = 4.0
"""How long a seed that did not open is not tried again."""
SEED_SECONDS: Final = 180.0
"""How long a seed may be written with after the plugin was last seen well."""
_SEED: Final = 32
_INFO: Final = 32
_LARGEST: Final = 1024
_KEY_TYPE, _SEED_TYPE = 0, 1
_KEPT_SEEDS: Final = 1000


class Derived:
    """AES-GCM under a key derived from a seed and 32 random bytes that are kept with the value."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) < _SEED:
            raise TransformError(f"invalid seed length {len(seed)} used for key generation")
        self._seed = seed

    def _cipher(self, info: bytes) -> AesGcm:
        return AesGcm(HKDFExpand(hashes.SHA256(), 32, info).derive(self._seed))

    async def open(self, data: bytes, context: bytes) -> Opened:
        """Those bytes, then nonce and ciphertext."""
        if len(data) < _INFO:
            raise TransformError("the stored data was shorter than the required size")
        return await self._cipher(data[:_INFO]).open(data[_INFO:], context)

    async def seal(self, data: bytes, context: bytes) -> bytes:
        """Seal under a new key."""
        info = os.urandom(_INFO)
        return info + await self._cipher(info).seal(data, context)


@dataclass(slots=True)
class _State:
    """What is written with."""

    cipher: Derived = field(repr=False)
    key_id: str
    sealed_seed: bytes
    annotations: dict[str, bytes]
    until: float


class KmsClient:
    """A plugin behind its unix socket."""

    def __init__(self, settings: Kms) -> None:
        path = settings.endpoint.removeprefix("unix://")
        target = f"unix-abstract:{path[2:]}" if path.startswith("/@") else f"unix:{path}"
        self._name = settings.name
        self._timeout = settings.timeout_seconds
        self._channel = grpc.aio.insecure_channel(target, options=(("grpc.default_authority", "localhost"),))

    async def call(self, method: str, request: Any, response: Any) -> Any:
        """One call of the contract. Raises TransformError without the plugin's bytes in it."""
        path = f"/{messages.SERVICE}/{method}"
        rpc = self._channel.unary_unary(path, type(request).SerializeToString, response.FromString)
        try:
            return await rpc(request, timeout=self._timeout, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            details = (error.details() or error.code().name).splitlines()[0]
            raise TransformError(f"rpc error: code = {error.code().name} desc = {details}") from None

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()


class Envelope:
    """The transformer of one plugin; `run` keeps its seed current."""

    def __init__(self, settings: Kms, client: KmsClient | None = None) -> None:
        self.name = settings.name
        self._client = client or KmsClient(settings)
        self._state: _State | None = None
        self._ciphers: dict[bytes, Transformer] = {}
        self._failed: dict[bytes, tuple[float, str]] = {}
        """Seeds that did not open, so that a plugin that is away is not waited for once per object."""
        self.problem = "the plugin has not been asked yet"
        """Why nothing can be sealed; "" when all is well."""

    async def run(self) -> None:
        """Look at the plugin for ever."""
        while True:
            # `Vault` has looked once before it begins this
            await asyncio.sleep(FAILING_SECONDS if self.problem else HEALTHY_SECONDS)
            await self.look()

    async def look(self) -> bool:
        """Ask for the plugin's state, and for a new seed if its key has changed."""
        began = monotonic()
        try:
            status = await self._client.call("Status", messages.StatusRequest(), messages.StatusResponse)
            _check_status(status)
            if self._state is None or self._state.key_id != status.key_id:
                await self._renew(status.key_id, began)
            self._state.until = began + SEED_SECONDS  # type: ignore[union-attr]
        except TransformError as error:
            self.problem = f"kmsv2 Provider {self.name} is not healthy, error: {error}"
            _log.error("KMS plugin failed its health check", name=self.name, why=str(error))
            return False
        if self.problem:
            _log.info("KMS plugin is well", name=self.name)
        self.problem = ""
        return True

    async def _renew(self, key_id: str, began: float) -> None:
        seed = os.urandom(_SEED)
        request = messages.EncryptRequest(plaintext=seed, uid=str(uuid.uuid4()))
        answer = await self._client.call("Encrypt", request, messages.EncryptResponse)
        _check_key_id(answer.key_id)
        if answer.key_id != key_id:
            raise TransformError("failed to rotate DEK: the key of Encrypt is not the key of Status")
        if not 0 < len(answer.ciphertext) <= _LARGEST:
            raise TransformError(f"encrypted DEK source is {len(answer.ciphertext)} bytes, expected 1 to {_LARGEST}")
        annotations = dict(answer.annotations)
        cipher = Derived(seed)
        self._state = _State(cipher, key_id, answer.ciphertext, annotations, began + SEED_SECONDS)
        self._remember(_cache_key(_SEED_TYPE, answer.ciphertext, key_id, annotations), cipher)

    async def seal(self, data: bytes, context: bytes) -> bytes:
        """An EncryptedObject under the current seed."""
        state = self._state
        if state is None:
            raise TransformError(self.problem)
        if monotonic() > state.until:
            raise TransformError(f"encryptedDEKSource expired: {self.problem}")
        sealed = messages.EncryptedObject(
            encryptedData=await state.cipher.seal(data, context),
            keyID=state.key_id,
            encryptedDEKSource=state.sealed_seed,
            annotations=state.annotations,
            encryptedDEKSourceType=_SEED_TYPE,
        )
        return bytes(sealed.SerializeToString())

    async def open(self, data: bytes, context: bytes) -> Opened:
        """Open an EncryptedObject, asking the plugin for a seed that is not known yet."""
        try:
            sealed = messages.EncryptedObject.FromString(data)
        except DecodeError:
            raise TransformError("the stored data is no EncryptedObject") from None
        kind = sealed.encryptedDEKSourceType
        if kind not in (_KEY_TYPE, _SEED_TYPE):
            raise TransformError(f"unknown encryptedDEKSourceType: {kind}")
        if not sealed.encryptedData:
            raise TransformError("encrypted data is empty")
        annotations = dict(sealed.annotations)
        known = _cache_key(kind, sealed.encryptedDEKSource, sealed.keyID, annotations)
        cipher = self._ciphers.get(known)
        if cipher is None:
            until, why = self._failed.get(known, (0.0, ""))
            if monotonic() < until:
                raise TransformError(f"failed to decrypt DEK, error: {why}")
            request = messages.DecryptRequest(
                ciphertext=sealed.encryptedDEKSource,
                uid=str(uuid.uuid4()),
                key_id=sealed.keyID,
                annotations=annotations,
            )
            try:
                answer = await self._client.call("Decrypt", request, messages.DecryptResponse)
            except TransformError as error:
                if len(self._failed) >= _KEPT_SEEDS:
                    self._failed.clear()
                self._failed[known] = (monotonic() + FAILED_SECONDS, str(error))
                raise TransformError(f"failed to decrypt DEK, error: {error}") from None
            try:
                cipher = Derived(answer.plaintext) if kind == _SEED_TYPE else AesGcm(answer.plaintext)
            except ValueError:
                raise TransformError("failed to decrypt DEK, error: it is no AES key") from None
            self._remember(known, cipher)
        opened = await cipher.open(sealed.encryptedData, context)
        stale = self._state is None or sealed.keyID != self._state.key_id or kind != _SEED_TYPE
        return Opened(opened.data, stale)

    def _remember(self, known: bytes, cipher: Transformer) -> None:
        if len(self._ciphers) >= _KEPT_SEEDS:
            self._ciphers.clear()
        self._ciphers[known] = cipher

    async def close(self) -> None:
        """Close the connection to the plugin."""
        await self._client.close()


def _check_status(status: Any) -> None:
    if status.healthz != "ok":
        raise TransformError(f"got unexpected healthz status: {status.healthz}")
    if status.version not in ("v2", "v2beta1"):
        raise TransformError(f"expected KMSv2 API version v2, got {status.version}")
    _check_key_id(status.key_id)


def _check_key_id(key_id: str) -> None:
    if not key_id:
        raise TransformError("keyID is empty")
    if len(key_id) > _LARGEST:
        raise TransformError(f"keyID is {len(key_id)} bytes, which exceeds the max size of {_LARGEST}")


def _cache_key(kind: int, sealed_seed: bytes, key_id: str, annotations: dict[str, bytes]) -> bytes:
    known = messages.EncryptedObject(
        keyID=key_id, encryptedDEKSource=sealed_seed, annotations=annotations, encryptedDEKSourceType=kind
    )
    return bytes(known.SerializeToString(deterministic=True))
