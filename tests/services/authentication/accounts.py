"""Keys, objects and a clock for tests of service account tokens."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.authentication.identity import Answer, Credentials, Finding
from services.authentication.keys import PrivateKey, SigningKey, VerificationKey

ISSUER = "https://issuer.example"
NOW = 1_800_000_000.0
NOTHING = Credentials((), {}, "GET", "/api", (ISSUER,))


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Objects:
    """The store, counting how often it is asked."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Mapping[str, Any]] = {}
        self.asked = 0

    def put(self, resource: str, namespace: str, name: str, uid: str, **more: Any) -> None:
        metadata = {"name": name, "uid": uid, **more.pop("metadata", {})}
        self.objects[resource, namespace, name] = {"metadata": metadata, **more}

    def put_secret(self, namespace: str, name: str, data: Mapping[str, str], **more: Any) -> None:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.put("secrets", namespace, name, "s-1", data=encoded, **more)

    async def get(self, resource: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        self.asked += 1
        return self.objects.get((resource, namespace, name))


def elliptic() -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signing(key: PrivateKey) -> SigningKey:
    return SigningKey(key, VerificationKey.of(key.public_key()))


def private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def rsa_key() -> PrivateKey:
    return rsa.generate_private_key(65537, 2048)


async def settled(answer: Answer) -> Finding:
    return answer if isinstance(answer, Finding) else await answer if inspect.isawaitable(answer) else answer
