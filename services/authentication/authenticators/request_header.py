"""Requests of a proxy in front that has authenticated the user itself and says so in headers.

As kube-apiserver's request/headerrequest: believed only of a client certificate of the proxies' own CA, and of allowed
names where there are any. Headers of anybody else count for nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from cryptography.x509.oid import NameOID

from services.authentication.certificates import Pool, VerificationError, identifier, load, verify_client
from services.authentication.files import WatchedFile
from services.authentication.identity import (
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

_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class HeaderNames:
    """Which headers say who the user is; names in lower case, the first that is there counts."""

    username: tuple[str, ...]
    uid: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    extra_prefixes: tuple[str, ...] = ()


class RequestHeaderAuthenticator:
    """Takes the user from the headers of a proxy that is known by its certificate."""

    name = "request-header"

    def __init__(
        self,
        roots: WatchedFile[Pool],
        allowed_names: tuple[str, ...],
        headers: HeaderNames,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Trust certificates of these roots with an allowed common name, any if none is listed."""
        self._roots = roots
        self._allowed = frozenset(allowed_names)
        self._headers = headers
        self._clock = clock

    def authenticate(self, credentials: Credentials, trail: Trail) -> Answer:
        """Name the user that a proxy vouches for."""
        return attempt(self.name, lambda: self._authenticate(credentials), trail)

    def _authenticate(self, credentials: Credentials) -> Finding:
        names = self._headers
        if not credentials.peer_certificates:
            return no_opinion("no client certificate")
        username = _first(credentials.headers, names.username)
        if not username:
            # without a user name nothing would follow from the certificate either
            return no_opinion("no header with a user name")
        if problem := self._certificate_problem(credentials.peer_certificates):
            return rejected(problem)
        return authenticated(
            User(
                username,
                _first(credentials.headers, names.uid),
                tuple(group for name in names.group for group in credentials.headers.get(name, ())),
                _extra(credentials.headers, names.extra_prefixes),
            )
        )

    def _certificate_problem(self, chain: Sequence[bytes]) -> str:
        try:
            leaf, *intermediates = (load(der) for der in chain)
        except VerificationError as error:
            return str(error)
        moment = datetime.fromtimestamp(self._clock(), UTC)
        try:
            verify_client(leaf, intermediates, self._roots.value, moment)
        except VerificationError as error:
            return f"verifying certificate {identifier(leaf)} failed: {error}"
        if not self._allowed:
            return ""
        names = leaf.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        name = names[-1].value if names else ""
        return "" if name in self._allowed else "x509: subject with cn is not in the allowed list"


def _first(headers: Mapping[str, Sequence[str]], names: Sequence[str]) -> str:
    for name in names:
        for value in headers.get(name, ()):
            if value:
                return value
    return ""


def _extra(headers: Mapping[str, Sequence[str]], prefixes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for prefix in prefixes:
        for name, values in headers.items():
            if name.startswith(prefix):
                key = name.removeprefix(prefix)
                key = key if _BAD_ESCAPE.search(key) else unquote(key)
                found[key] = (*found.get(key, ()), *values)
    return found
