"""The keys behind service account tokens: read from PEM files, named by key id, matched with algorithms.

`WatchedFile`s parse with `parse_keys` and `parse_signing_key`; the issuer signs with a `SigningKey`, the authenticators
of service accounts verify with the `VerificationKey`s of a `KeyRing`. Private keys stay in this process: nothing here
puts them into a repr, a log or an error. As pkg/serviceaccount (jwt.go, openidmetadata.go) of Kubernetes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from services.authentication.files import BadFileError

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\r?\n.*?-----END \1-----", re.DOTALL)
_CURVES = {
    "secp256r1": ("ES256", "P-256", 32),
    "secp384r1": ("ES384", "P-384", 48),
    "secp521r1": ("ES512", "P-521", 66),
}
"""Signature algorithm, name in a key set and bytes of a coordinate, by curve."""
_RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key that tokens may be signed for."""

    id: str
    """Hash of the key, as kube-apiserver's kid."""
    key: PublicKey = field(repr=False)
    algorithms: tuple[str, ...]
    """Algorithms that go with this type of key: no other is tried, whatever a token says. The first one signs."""

    @classmethod
    def of(cls, key: PublicKey) -> VerificationKey:
        """Name a key. Raises BadFileError for a curve that no algorithm knows."""
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        name = _encode(hashlib.sha256(der).digest())
        if isinstance(key, rsa.RSAPublicKey):
            return cls(name, key, _RSA_ALGORITHMS)
        known = _CURVES.get(key.curve.name)
        if known is None:
            raise BadFileError(f"unknown private key curve {key.curve.name}, must be 256, 384, or 521")
        return cls(name, key, (known[0],))

    def to_jwk(self) -> dict[str, str]:
        """Return the key as a member of a key set (RFC 7517)."""
        found = {"use": "sig", "kid": self.id, "alg": self.algorithms[0]}
        if isinstance(self.key, rsa.RSAPublicKey):
            numbers = self.key.public_numbers()
            return {**found, "kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
        point = self.key.public_numbers()
        _, curve, size = _CURVES[self.key.curve.name]
        return {**found, "kty": "EC", "crv": curve, "x": _integer(point.x, size), "y": _integer(point.y, size)}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key that signs new tokens."""

    key: PrivateKey = field(repr=False)
    public: VerificationKey

    @property
    def algorithm(self) -> str:
        """The algorithm of its signatures."""
        return self.public.algorithms[0]


def parse_keys(path: str, data: bytes) -> tuple[VerificationKey, ...]:
    """Read public keys, private keys (of which the public half is taken) and certificates. Raises BadFileError."""
    found = tuple(VerificationKey.of(key) for key in _public_keys(path, data))
    if not found:
        raise BadFileError(f"error reading public key file {path}: data does not contain any valid public keys")
    return found


def parse_signing_key(path: str, data: bytes) -> SigningKey:
    """Read one private key. Raises BadFileError."""
    for label, block in _blocks(data):
        if label.endswith("PRIVATE KEY"):
            key = _private(path, block)
            return SigningKey(key, VerificationKey.of(key.public_key()))
    raise BadFileError(f"error reading private key file {path}: data does not contain a valid RSA or ECDSA private key")


def _public_keys(path: str, data: bytes) -> Iterator[PublicKey]:
    for label, block in _blocks(data):
        if label.endswith("PRIVATE KEY"):
            yield _private(path, block).public_key()
            continue
        key: object
        try:
            if label == "CERTIFICATE":
                key = x509.load_pem_x509_certificate(block).public_key()
            else:
                key = load_pem_public_key(block)
        except ValueError:
            continue
        if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            yield key


def _private(path: str, block: bytes) -> PrivateKey:
    try:
        key = load_pem_private_key(block, password=None)
    except (ValueError, TypeError):
        # the library's text may quote what it read
        raise BadFileError(f"error reading private key file {path}: the key cannot be used") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise BadFileError(f"error reading private key file {path}: neither an RSA nor an ECDSA key")
    return key


def _blocks(data: bytes) -> Iterator[tuple[str, bytes]]:
    for match in _PEM.finditer(data):
        yield match.group(1).decode("ascii"), match.group(0) + b"\n"


class KeyRing:
    """Every key that is accepted, as current as its files."""

    def __init__(self, sources: Sequence[Callable[[], Sequence[VerificationKey]]]) -> None:
        """Gather the keys of these sources, each asked anew every time."""
        self._sources = tuple(sources)

    @property
    def keys(self) -> tuple[VerificationKey, ...]:
        """The keys, none twice, in the order of their sources."""
        return tuple({key.id: key for source in self._sources for key in source()}.values())


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _integer(value: int, size: int = 0) -> str:
    return _encode(value.to_bytes(size or (value.bit_length() + 7) // 8))
