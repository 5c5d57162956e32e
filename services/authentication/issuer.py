"""Signs tokens for service accounts and describes how they are verified.

The servicer calls it for IssueToken and DescribeIssuer. As pkg/serviceaccount (claims.go, openidmetadata.go) and the
token storage of pkg/registry/core/serviceaccount of Kubernetes.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jwt
import orjson

from services.authentication.keys import KeyRing, SigningKey

EXTENDED_FROM_SECONDS = 3607
"""What the service account admission plugin asks for pods: tokens of just this length are extended."""
EXTENDED_SECONDS = 365 * 24 * 3600
"""How long an extended token really lasts; it is reported as stale after what was asked for."""
MAX_AGE_SECONDS = 3600
"""How long the public documents may be remembered."""


class Reference(NamedTuple):
    """An object that a token speaks of."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token that is asked for."""

    namespace: str
    account: Reference
    expiration_seconds: int
    audiences: tuple[str, ...] = ()
    pod: Reference | None = None
    secret: Reference | None = None
    node: Reference | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """A token that was made; its repr shows nothing of it."""

    token: str
    audiences: tuple[str, ...]
    expiration_seconds: int
    issued: int
    """Unix seconds."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """Whose tokens are made, and how long they last."""

    issuers: tuple[str, ...]
    """The first one signs, all are accepted."""
    api_audiences: tuple[str, ...]
    max_expiration: int = 0
    """Bound of a token's life in seconds; 0 for none."""
    extend: bool = True
    """Whether tokens of pods are good for longer than was asked for."""
    jwks_uri: str = ""
    """Where others find the key set; by default below the issuer."""


class TokenIssuer:
    """Makes tokens with the signing key of the moment."""

    def __init__(
        self,
        settings: IssuerSettings,
        signing_key: Callable[[], SigningKey],
        ring: KeyRing,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Sign with the key that the callable returns; the ring is what is published."""
        self._settings = settings
        self._signing_key = signing_key
        self._ring = ring
        self._clock = clock

    def issue(self, wanted: Wanted) -> Issued:
        """Sign a token."""
        settings = self._settings
        audiences = wanted.audiences or settings.api_audiences
        seconds, warnings = wanted.expiration_seconds, []
        if 0 < settings.max_expiration < seconds:
            warnings.append(f"requested expiration of {seconds} seconds shortened to {settings.max_expiration} seconds")
            seconds = settings.max_expiration
        now = int(self._clock())
        extended = (
            settings.extend
            and wanted.pod is not None
            and seconds == EXTENDED_FROM_SECONDS
            and set(audiences) <= set(settings.api_audiences)
        )
        bound: dict[str, Any] = {"namespace": wanted.namespace}
        if wanted.node is not None:
            bound["node"] = _reference(wanted.node)
        if wanted.pod is not None:
            bound["pod"] = _reference(wanted.pod)
        if wanted.secret is not None:
            bound["secret"] = _reference(wanted.secret)
        bound["serviceaccount"] = _reference(wanted.account)
        if extended:
            bound["warnafter"] = now + seconds
        claims = {
            "aud": list(audiences),
            "exp": now + (EXTENDED_SECONDS if extended else seconds),
            "iat": now,
            "iss": settings.issuers[0],
            "jti": str(uuid.uuid4()),
            "kubernetes.io": bound,
            "nbf": now,
            "sub": f"system:serviceaccount:{wanted.namespace}:{wanted.account.name}",
        }
        key = self._signing_key()
        token = jwt.encode(claims, key.key, key.algorithm, headers={"kid": key.public.id, "typ": None})
        return Issued(token, audiences, seconds, now, tuple(warnings))

    def documents(self) -> tuple[bytes, bytes]:
        """Return the discovery document and the key set; both empty unless the issuer has an https URL."""
        issuer = self._settings.issuers[0]
        if not issuer.startswith("https://"):
            return b"", b""
        keys = self._ring.keys
        configuration = {
            "issuer": issuer,
            "jwks_uri": self._settings.jwks_uri or f"{issuer.rstrip('/')}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted({key.algorithms[0] for key in keys}),
        }
        return orjson.dumps(configuration), orjson.dumps({"keys": [key.to_jwk() for key in keys]})


def _reference(reference: Reference) -> dict[str, str]:
    """Return a reference as the claims have it, without a uid where there is none."""
    return {"name": reference.name, **({"uid": reference.uid} if reference.uid else {})}


def problems(settings: IssuerSettings) -> Sequence[str]:
    """Say what is wrong with the settings, one line each."""
    found = [
        f'--service-account-issuer: "{issuer}" contained a colon but was not a valid URL'
        for issuer in settings.issuers
        if ":" in issuer and "://" not in issuer
    ]
    if settings.max_expiration and not 3600 <= settings.max_expiration <= 1 << 32:
        found.append("--service-account-max-token-expiration: must be at least 1h and at most 2^32 seconds")
    return found
