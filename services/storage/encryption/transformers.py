"""Providers: how bytes are sealed and opened. Static keys here; KMS in `kms`.

`sealed` asks the `Transformer` of a resource. The etcd key of an object is authenticated with it wherever the cipher
can: a value copied to another key does not open. Formats: kubernetes/apiserver pkg/storage/value/transformer.go,
pkg/storage/value/encrypt/{aes,secretbox,identity}.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.storage.encryption.configuration import Key, Provider

ENCRYPTED: Final = b"k8s:enc:"
NONCE_BYTES: Final = 12
_BLOCK: Final = 16
_SHORT: Final = "the stored data was shorter than the required size"


class TransformError(Exception):
    """A value cannot be sealed or opened; the message holds nothing secret."""


class Opened(NamedTuple):
    """A value in plain."""

    data: bytes
    stale: bool
    """The next write would seal it differently: an update that changes nothing is written all the same."""


class Transformer(Protocol):
    """One way to seal. `context` is the etcd key."""

    async def open(self, data: bytes, context: bytes) -> Opened:
        """Return the plain value. Raises TransformError."""
        ...

    async def seal(self, data: bytes, context: bytes) -> bytes:
        """Return the sealed value. Raises TransformError."""
        ...


class Identity:
    """Values as they are; refuses those which are sealed."""

    async def open(self, data: bytes, context: bytes) -> Opened:  # noqa: ARG002 - the protocol's
        """Give it back."""
        if data.startswith(ENCRYPTED):
            raise TransformError("identity transformer tried to read encrypted data")
        return Opened(data, False)

    async def seal(self, data: bytes, context: bytes) -> bytes:  # noqa: ARG002 - the protocol's
        """Give it back, unless it would later pass for sealed."""
        if data.startswith(ENCRYPTED):
            raise TransformError("identity transformer tried to write encrypted data")
        return data


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


class Prefixed(NamedTuple):
    """A transformer and the bytes that mark its values."""

    prefix: bytes
    transformer: Transformer


class Choice:
    """The first of several seals; whichever's prefix a value carries opens it."""

    def __init__(self, choices: Sequence[Prefixed], nothing_matches: str) -> None:
        self._choices = choices
        self._nothing_matches = nothing_matches

    async def open(self, data: bytes, context: bytes) -> Opened:
        """Try each whose prefix the value has: after a rotation two may have the same."""
        problems: list[str] = []
        for position, (prefix, transformer) in enumerate(self._choices):
            if not data.startswith(prefix):
                continue
            try:
                opened = await transformer.open(data[len(prefix) :], context)
            except TransformError as error:
                # identity refuses what another provider sealed: that one comes later in the list
                if prefix and str(error) not in problems:
                    problems.append(str(error))
                continue
            return Opened(opened.data, opened.stale or position > 0)
        if len(problems) > 1:
            raise TransformError("[" + ", ".join(problems) + "]")
        raise TransformError(problems[0] if problems else self._nothing_matches)

    async def seal(self, data: bytes, context: bytes) -> bytes:
        """Seal with the first."""
        prefix, transformer = self._choices[0]
        return prefix + await transformer.seal(data, context)


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
