"""Tokens made to order: right in every respect but one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from services.authentication.keys import VerificationKey

ISSUER = "https://kubernetes.default.svc"


def encode(value: Any) -> str:
    """Base64url of bytes, or of the JSON of anything else."""
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Forge:
    """Makes tokens with the cluster's own key, so that only what a test changes is wrong."""

    def __init__(self, key_file: Path, namespace: str, account: str, uid: str) -> None:
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.key = key
        self.kid = VerificationKey.of(key.public_key()).id
        self.public_pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.namespace = namespace
        self.account = account
        self.uid = uid

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token, with changes; None takes a claim away."""
        now = int(time.time())
        bound = {"namespace": self.namespace, "serviceaccount": {"name": self.account, "uid": self.uid}}
        bound.update(changes.pop("bound", {}))
        claims = {
            "aud": [ISSUER],
            "exp": now + 600,
            "iat": now,
            "iss": ISSUER,
            "jti": "00000000-0000-4000-8000-000000000000",
            "kubernetes.io": bound,
            "nbf": now,
            "sub": f"system:serviceaccount:{self.namespace}:{self.account}",
        }
        claims.update(changes)
        return {key: value for key, value in claims.items() if value is not None}

    def token(self, headers: dict[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
        """A signed token."""
        return jwt.encode(
            self.claims(**changes), key or self.key, "ES256", headers={"kid": self.kid, "typ": None, **(headers or {})}
        )

    def unsigned(self, algorithm: str, signature: bytes = b"") -> str:
        """A token with the header of another algorithm."""
        return f"{encode({'alg': algorithm, 'kid': self.kid})}.{encode(self.claims())}.{encode(signature)}"

    def shared_secret(self, algorithm: str = "HS256") -> str:
        """A token whose signature takes the public key for a shared secret."""
        signed = f"{encode({'alg': algorithm, 'kid': self.kid})}.{encode(self.claims())}"
        digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
        return f"{signed}.{encode(hmac.new(self.public_pem, signed.encode(), digest).digest())}"

    def relabelled(self, algorithm: str) -> str:
        """A good signature under the name of another algorithm."""
        header, claims, _ = self.token().split(".")
        del header
        signed = f"{encode({'alg': algorithm, 'kid': self.kid})}.{claims}"
        return f"{signed}.{self.token().split('.')[2]}"


def flipped(token: str) -> str:
    """The token with one bit of its signature changed."""
    head, _, signature = token.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)))
    raw[7] ^= 1
    return f"{head}.{encode(bytes(raw))}"


def reworded(token: str) -> str:
    """The same signature bytes in another spelling: the bits that base64 leaves over are set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) | 1]


def other_payload(token: str, **changes: Any) -> str:
    """The token with other claims below the old signature."""
    header, claims, signature = token.split(".")
    found = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return f"{header}.{encode({**found, **changes})}.{signature}"
