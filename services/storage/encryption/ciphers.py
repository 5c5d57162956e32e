"""Providers with static keys: aesgcm, aescbc and secretbox.

Imported by `vault` when a configuration names one of them, so that a store without encryption does not hold the
libraries. Formats: kubernetes/apiserver pkg/storage/value/encrypt/{aes,secretbox}.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.storage.encryption.configuration import Key, Provider
from services.storage.encryption.transformers import Choice, Opened, Prefixed, Transformer, TransformError

NONCE_BYTES: Final = 12
_BLOCK: Final = 16
_SHORT: Final = "the stored data was shorter than the required size"


class AesGcm:
    """AES-GCM with random nonces."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    async def open(self, data: bytes, context: bytes) -> Opened:
        """Nonce, then ciphertext and tag."""
        if len(data) < NONCE_BYTES:
            raise TransformError(_SHORT)
        try:
            return Opened(self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], context), False)
        except InvalidTag:
            raise TransformError("cipher: message authentication failed") from None

    async def seal(self, data: bytes, context: bytes) -> bytes:
        """Seal under a nonce of its own."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, context)


class AesCbc:
    """AES-CBC with PKCS#7 padding; authenticates nothing (kube-apiserver discourages it)."""

    def __init__(self, secret: bytes) -> None:
        self._algorithm = algorithms.AES(secret)

    async def open(self, data: bytes, context: bytes) -> Opened:  # noqa: ARG002 - the protocol's
        """Initialization vector, then ciphertext."""
        if len(data) < _BLOCK:
            raise TransformError(_SHORT)
        if len(data) % _BLOCK:
            raise TransformError("the stored data is not a multiple of the block size")
        decryptor = Cipher(self._algorithm, modes.CBC(data[:_BLOCK])).decryptor()
        unpadder = padding.PKCS7(_BLOCK * 8).unpadder()
        try:
            padded = decryptor.update(data[_BLOCK:]) + decryptor.finalize()
            return Opened(unpadder.update(padded) + unpadder.finalize(), False)
        except ValueError:
            raise TransformError("invalid padding on input") from None

    async def seal(self, data: bytes, context: bytes) -> bytes:  # noqa: ARG002 - the protocol's
        """Seal under a vector of its own."""
        vector = os.urandom(_BLOCK)
        padder = padding.PKCS7(_BLOCK * 8).padder()
        encryptor = Cipher(self._algorithm, modes.CBC(vector)).encryptor()
        return vector + encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


class Secretbox:
    """XSalsa20 and Poly1305 (NaCl)."""

    def __init__(self, secret: bytes) -> None:
        from nacl.secret import SecretBox

        self._box = SecretBox(secret)

    async def open(self, data: bytes, context: bytes) -> Opened:  # noqa: ARG002 - the protocol's
        """Nonce, then tag and ciphertext."""
        from nacl.exceptions import CryptoError

        if len(data) < self._box.NONCE_SIZE + self._box.MACBYTES:
            raise TransformError(_SHORT)
        try:
            return Opened(self._box.decrypt(data), False)
        except CryptoError:
            raise TransformError("secretbox: message authentication failed") from None

    async def seal(self, data: bytes, context: bytes) -> bytes:  # noqa: ARG002 - the protocol's
        """Seal under a nonce of its own."""
        return bytes(self._box.encrypt(data))


_CIPHERS: Final[Mapping[str, Callable[[bytes], Transformer]]] = {
    "aesgcm": AesGcm,
    "aescbc": AesCbc,
    "secretbox": Secretbox,
}


def of_keys(provider: Provider) -> Prefixed:
    """A provider with static keys, which are told apart by their names."""
    make = _CIPHERS[provider.kind]
    spoken = "Secretbox" if provider.kind == "secretbox" else "AES"

    def prefixed(key: Key) -> Prefixed:
        return Prefixed(f"{key.name}:".encode(), make(key.secret))

    nothing = f"no matching key was found for the provided {spoken} transformer"
    return Prefixed(f"k8s:enc:{provider.kind}:v1:".encode(), Choice([prefixed(key) for key in provider.keys], nothing))
