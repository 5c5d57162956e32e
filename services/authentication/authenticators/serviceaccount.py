"""Tokens of service accounts: signed by this API server or its like, good while what they speak of exists.

As kube-apiserver's serviceaccount.JWTTokenAuthenticator, once for bound tokens (issuers of our own) and once for legacy
ones. A verified signature is remembered by the token's hash, so that a known token costs a hash and two look-ups; time
and objects are checked on every use.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.authentication import claims as claims_of
from services.authentication import tokens
from services.authentication.claims import ClaimError, Claims, Objects
from services.authentication.identity import Answer, Credentials, Finding, User, authenticated, no_opinion, rejected
from services.authentication.keys import KeyRing, VerificationKey

REMEMBERED_TOKENS = 8192
"""Bound of the memory for verified tokens; the oldest is forgotten first."""
FRESH_SECONDS = 1.0
"""How long what was found about a token's objects counts."""


@dataclass(slots=True)
class _Verified:
    """A token whose signature is good."""

    claims: Claims
    user: User = field(repr=False)
    fresh_until: float = 0.0
    """Monotonic seconds until which its objects need not be asked for again."""


class ServiceAccountAuthenticator:
    """Verifies tokens of some issuers."""

    def __init__(
        self,
        name: str,
        issuers: tuple[str, ...],
        read_claims: Callable[[Mapping[str, object]], Claims],
        ring: KeyRing,
        objects: Objects,
        api_audiences: tuple[str, ...],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Accept what keys of the ring signed for these issuers; objects tell whether it is still so."""
        self.name = name
        self._issuers = frozenset(issuers)
        self._read_claims = read_claims
        self._ring = ring
        self._keys: tuple[VerificationKey, ...] = ()
        self._objects = objects
        self._api_audiences = api_audiences
        self._clock = clock
        self._verified: dict[bytes, _Verified] = {}

    def authenticate_token(self, token: str, credentials: Credentials) -> Answer:
        """Name the service account of a token."""
        keys = self._ring.keys
        if keys != self._keys:
            self._keys = keys
            self._verified.clear()
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._verified.get(digest)
        if known is None:
            found = self._verify(token)
            if isinstance(found, Finding):
                return found
            known = found
        now = self._clock()
        try:
            claims_of.check_time(known.claims, now)
        except ClaimError as error:
            self._verified.pop(digest, None)
            return rejected(str(error))
        audiences = self._audiences(known.claims, credentials.audiences)
        if not audiences and self._api_audiences:
            return rejected("the token is for other audiences than those asked for")
        if digest in self._verified and time.monotonic() < known.fresh_until:
            return self._finding(known, audiences, now)
        return self._check(token, digest, known, audiences)

    def _verify(self, token: str) -> _Verified | Finding:
        parsed = tokens.read(token)
        if parsed is None:
            return no_opinion("not a signed token")
        if parsed.issuer not in self._issuers:
            return no_opinion("a token of another issuer")
        if problem := tokens.verify(parsed, self._keys):
            return rejected(problem)
        try:
            claims = self._read_claims(parsed.claims)
        except ClaimError as error:
            return rejected(str(error))
        return _Verified(claims, claims_of.user_of(claims))

    async def _check(self, token: str, digest: bytes, known: _Verified, audiences: tuple[str, ...]) -> Finding:
        asked, now = time.monotonic(), self._clock()
        try:
            await claims_of.check_objects(known.claims, token, self._objects, now)
        except ClaimError as error:
            self._verified.pop(digest, None)
            return rejected(str(error))
        known.fresh_until = asked + FRESH_SECONDS
        if digest not in self._verified and len(self._verified) >= REMEMBERED_TOKENS:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = known
        return self._finding(known, audiences, now)

    def _audiences(self, claims: Claims, wanted: tuple[str, ...]) -> tuple[str, ...]:
        """Return the audiences that are both the token's and wanted; a token without any is for the API server."""
        granted = claims.audiences or self._api_audiences
        accepted = wanted or self._api_audiences
        return tuple(audience for audience in granted if audience in accepted)

    def _finding(self, known: _Verified, audiences: tuple[str, ...], now: float) -> Finding:
        warn_after, reason = known.claims.warn_after, ""
        if warn_after and now > warn_after:
            reason = f"stale token, {int(now - warn_after)} s after it should have been renewed"
        return authenticated(known.user, audiences, reason)
