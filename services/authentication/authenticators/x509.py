"""TLS client certificates: common name to user, organizations to groups.

As kube-apiserver's request/x509 with CommonNameUserConversion. The gateway forwards the chain that the client
presented without judging it; verification happens here, once per certificate: verified chains are remembered until
the first of their certificates expires or the CA bundle changes, so that a known client costs a dict look-up.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from services.authentication.certificates import (
    Candidate,
    Pool,
    VerificationError,
    identifier,
    load,
    load_bundle,
    verify_client,
)
from services.authentication.files import BadFileError, WatchedFile
from services.authentication.identity import (
    CREDENTIAL_ID,
    Answer,
    Credentials,
    Finding,
    Trail,
    User,
    attempt,
    authenticated,
    no_opinion,
    rejected,
)

UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
"""The subject attribute that carries a uid, Kubernetes' own arc (asn1util.X509UID)."""

REMEMBERED_CHAINS = 4096
"""Bound of the memory for verified chains; the oldest is forgotten first."""


class _Remembered(NamedTuple):
    finding: Finding
    until: float
    """Unix seconds of the first expiry in the chain."""


def parse_bundle(path: str, data: bytes) -> Pool:
    """Read a CA bundle. Raises BadFileError."""
    try:
        return load_bundle(data)
    except VerificationError as error:
        raise BadFileError(f"error loading certs from {path}: {error}") from error


def user_of(leaf: Candidate) -> User | None:
    """Convert a verified certificate to a user; None without a common name. Raises VerificationError."""
    subject = leaf.certificate.subject
    names = _values(subject, NameOID.COMMON_NAME)
    if not names or not names[-1]:
        return None
    return User(
        username=names[-1],
        uid=_uid(subject),
        groups=tuple(_values(subject, NameOID.ORGANIZATION_NAME)),
        extra={CREDENTIAL_ID: ("X509SHA256=" + hashlib.sha256(leaf.der).hexdigest(),)},
    )


def _values(subject: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [attribute.value for attribute in subject.get_attributes_for_oid(oid) if isinstance(attribute.value, str)]


def _uid(subject: x509.Name) -> str:
    attributes = subject.get_attributes_for_oid(UID)
    uids = _values(subject, UID)
    if len(uids) != len(attributes):
        raise VerificationError("unable to parse UID into a string")
    if not uids:
        return ""
    if len(uids) > 1:
        raise VerificationError(f"expected 1 UID, but found multiple: [{' '.join(uids)}]")
    if not uids[0]:
        raise VerificationError("UID cannot be an empty string")
    return uids[0]


class X509Authenticator:
    """Verifies the client's chain against the CA bundle."""

    name = "x509"

    def __init__(self, roots: WatchedFile[Pool], clock: Callable[[], float] = time.time) -> None:
        """Trust the roots of this file; the clock tells unix seconds."""
        self._roots = roots
        self._trusted = roots.value
        self._clock = clock
        self._remembered: dict[bytes, _Remembered] = {}

    def authenticate(self, credentials: Credentials, trail: Trail) -> Answer:
        """Name the user of a verified client certificate."""
        return attempt(self.name, lambda: self._authenticate(credentials.peer_certificates), trail)

    def _authenticate(self, chain: Sequence[bytes]) -> Finding:
        if not chain:
            return no_opinion("no client certificate")
        if self._roots.value is not self._trusted:
            self._trusted = self._roots.value
            self._remembered.clear()
        # the intermediates belong to the key: without them the same leaf may not verify
        key = hashlib.sha256(b"".join(len(der).to_bytes(4) + der for der in chain)).digest()
        known = self._remembered.get(key)
        now = self._clock()
        if known is not None and now < known.until:
            return known.finding
        return self._verify(key, chain, now)

    def _verify(self, key: bytes, chain: Sequence[bytes], now: float) -> Finding:
        self._remembered.pop(key, None)
        try:
            leaf, *intermediates = (load(der) for der in chain)
        except VerificationError as error:
            return rejected(str(error))
        try:
            verified = verify_client(leaf, intermediates, self._trusted, datetime.fromtimestamp(now, UTC))
            user = user_of(leaf)
        except VerificationError as error:
            return rejected(f"verifying certificate {identifier(leaf)} failed: {error}")
        finding = no_opinion("the certificate has no common name") if user is None else authenticated(user)
        if len(self._remembered) >= REMEMBERED_CHAINS:
            del self._remembered[next(iter(self._remembered))]
        until = min(member.certificate.not_valid_after_utc.timestamp() for member in verified)
        self._remembered[key] = _Remembered(finding, until)
        return finding
