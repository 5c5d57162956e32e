"""Signed tokens (JWS compact form), taken apart and verified.

The service account authenticators read a token with `read`, which verifies nothing, look whether it could be theirs,
and then `verify` it. The algorithm is never the token's choice alone: it must be one that goes with the type of the
key, so that neither "none" nor a public key used as a shared secret gets anywhere. Encodings must be canonical: of two
texts with the same bytes only one is the token.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from cryptography.exceptions import InvalidSignature
from jwt.algorithms import get_default_algorithms

from services.authentication.keys import VerificationKey

MAX_BYTES = 64 * 1024
"""Tokens beyond this length are not looked at."""
_ALGORITHMS = get_default_algorithms()


class SignedToken(NamedTuple):
    """A token whose signature nobody has looked at yet."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @property
    def issuer(self) -> str:
        """Who it says has issued it."""
        issuer = self.claims.get("iss")
        return issuer if isinstance(issuer, str) else ""


def read(token: str) -> SignedToken | None:
    """Take a token apart; None for anything that is not in compact form."""
    if len(token) > MAX_BYTES or token.count(".") != 2 or not token.isascii():
        return None
    signed, _, signature = token.rpartition(".")
    header, _, claims = signed.partition(".")
    try:
        parts = (_json(header), _json(claims), _bytes(signature))
    except (ValueError, binascii.Error):
        return None
    head, body, proof = parts
    if not isinstance(head, dict) or not isinstance(body, dict):
        return None
    return SignedToken(head, body, signed.encode("ascii"), proof)


def verify(token: SignedToken, keys: Iterable[VerificationKey]) -> str:
    """Return what is wrong with the signature; empty if one of the keys made it."""
    algorithm = token.header.get("alg")
    if "crit" in token.header or "b64" in token.header:
        return "the token's header asks for an extension that is not supported"
    named = token.header.get("kid")
    candidates = [key for key in keys if algorithm in key.algorithms]
    if not candidates:
        return "invalid signature, no keys found"
    # the key that the token names goes first; older tokens name none
    for key in sorted(candidates, key=lambda key: key.id != named):
        if _made(token, str(algorithm), key):
            return ""
    return "the token's signature is not valid"


def _made(token: SignedToken, algorithm: str, key: VerificationKey) -> bool:
    try:
        return bool(_ALGORITHMS[algorithm].verify(token.signed, key.key, token.signature))
    except (InvalidSignature, ValueError):
        return False


def _json(part: str) -> Any:
    return orjson.loads(_bytes(part))


def _bytes(part: str) -> bytes:
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part.encode("ascii"):
        raise ValueError("not canonical")
    return raw
