"""The authenticators of this process, made from its settings.

`__main__` builds a `Chain` and runs its `watch`; the order is that of kube-apiserver (pkg/kubeapiserver/authenticator):
headers of proxies in front, client certificates, bearer tokens, tokens of websockets, then anonymous.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubehop.hop import logs
from services.authentication.authenticators.anonymous import AnonymousAuthenticator
from services.authentication.authenticators.bearer import BearerTokenAuthenticator, WebsocketTokenAuthenticator
from services.authentication.authenticators.tokenfile import TokenFileAuthenticator, TokenTable
from services.authentication.authenticators.tokenfile import parse as parse_tokens
from services.authentication.authenticators.union import TokenUnion, compose
from services.authentication.files import WatchedFile, poll
from services.authentication.identity import Authenticator, TokenAuthenticator
from services.authentication.settings import AuthenticationSettings

if TYPE_CHECKING:
    from services.authentication.certificates import Pool
    from services.authentication.claims import Objects
    from services.authentication.issuer import TokenIssuer
    from services.authentication.keys import SigningKey, VerificationKey


class Chain:
    """What the settings ask for, ready to decide."""

    def __init__(self, settings: AuthenticationSettings, objects: Objects | None = None) -> None:
        """Read the files; objects are asked about what tokens speak of.

        Raises BadFileError or OSError with the file's name where one cannot be used.
        """
        self._settings = settings
        self._objects = objects
        self._files: list[WatchedFile[Any]] = []
        self.issuer: TokenIssuer | None = None
        """Signs service account tokens; None without a signing key."""
        chain = [*self._front_proxy(), *self._certificates(), *self._tokens()]
        anonymous = AnonymousAuthenticator(settings.anonymous_paths) if settings.anonymous else None
        self.authenticator: Authenticator = compose(chain, anonymous)
        self.names = tuple(authenticator.name for authenticator in chain)

    def _certificates(self) -> list[Authenticator]:
        path = self._settings.client_ca_file
        if path is None:
            return []
        # imported here because a process without client certificates needs no cryptography
        from services.authentication.authenticators.x509 import X509Authenticator, parse_bundle

        roots: WatchedFile[Pool] = WatchedFile(path, partial(parse_bundle, str(path)))
        self._files.append(roots)
        return [X509Authenticator(roots)]

    def _front_proxy(self) -> list[Authenticator]:
        proxy = self._settings.front_proxy
        path = proxy.client_ca_file
        if path is None:
            return []
        from services.authentication.authenticators.request_header import HeaderNames, RequestHeaderAuthenticator
        from services.authentication.authenticators.x509 import parse_bundle

        roots: WatchedFile[Pool] = WatchedFile(path, partial(parse_bundle, str(path)))
        self._files.append(roots)
        headers = HeaderNames(
            proxy.username_headers, proxy.uid_headers, proxy.group_headers, proxy.extra_header_prefixes
        )
        return [RequestHeaderAuthenticator(roots, proxy.allowed_names, headers)]

    def _service_accounts(self) -> list[TokenAuthenticator]:
        settings, audiences = self._settings.service_accounts, self._settings.api_audiences
        if self._objects is None or not (settings.signing_key_file or settings.key_files):
            return []
        # imported here because a process without service accounts needs no cryptography for them
        from services.authentication import claims
        from services.authentication.authenticators.serviceaccount import ServiceAccountAuthenticator
        from services.authentication.issuer import TokenIssuer
        from services.authentication.keys import KeyRing, parse_keys, parse_signing_key

        sources: list[Callable[[], Sequence[VerificationKey]]] = []
        for path in settings.key_files:
            keys: WatchedFile[tuple[VerificationKey, ...]] = WatchedFile(path, partial(parse_keys, str(path)))
            self._files.append(keys)
            sources.append(partial(getattr, keys, "value"))
        signing: WatchedFile[SigningKey] | None = None
        if (own := settings.signing_key_file) is not None:
            signing = WatchedFile(own, partial(parse_signing_key, str(own)))
            self._files.append(signing)
        ring = KeyRing(sources or ([partial(_public_key, signing)] if signing else []))
        if signing is not None:
            self.issuer = TokenIssuer(settings.issuer, partial(getattr, signing, "value"), ring)
        legacy = ServiceAccountAuthenticator(
            "service-account-legacy", (claims.LEGACY_ISSUER,), claims.read_legacy, ring, self._objects, audiences
        )
        bound = ServiceAccountAuthenticator(
            "service-account", settings.issuer.issuers, claims.read_bound, ring, self._objects, audiences
        )
        # their issuers differ, so that the order decides nothing; bound tokens are the many
        return [bound, legacy]

    def _bootstrap(self) -> list[TokenAuthenticator]:
        if self._objects is None or not self._settings.bootstrap_tokens:
            return []
        from services.authentication.authenticators.bootstrap import BootstrapTokenAuthenticator

        return [BootstrapTokenAuthenticator(self._objects, self._settings.api_audiences)]

    def _tokens(self) -> list[Authenticator]:
        chain: list[TokenAuthenticator] = []
        path = self._settings.token_auth_file
        if path is not None:
            tokens: WatchedFile[TokenTable] = WatchedFile(path, partial(parse_tokens, str(path)))
            self._files.append(tokens)
            _warn(tokens)
            chain.append(TokenFileAuthenticator(tokens, self._settings.api_audiences))
        chain += [*self._service_accounts(), *self._bootstrap()]
        if not chain:
            return []
        union = TokenUnion(chain)
        return [BearerTokenAuthenticator(union), WebsocketTokenAuthenticator(union)]

    @property
    def digest(self) -> str:
        """Digest of the configuration in force, files included; changes with any of them."""
        digest = hashlib.sha256(repr(self._settings).encode())
        for file in self._files:
            digest.update(file.digest.encode())
        return digest.hexdigest()

    async def watch(self, changed: Callable[[], None]) -> None:
        """Reload files that change, forever; tell after each reload."""
        await poll(self._files, self._report, changed, self._settings.reload_interval)

    def _report(self, path: Path, problem: str | None, digest: str) -> None:
        if problem is not None:
            logs.get().error(
                "a changed file cannot be used, the old content stays in force", file=str(path), problem=problem
            )
            return
        logs.get().info("file reloaded", file=str(path), sha256=digest[:12])
        for file in self._files:
            if file.path == path:
                _warn(file)


def _public_key(signing: WatchedFile[SigningKey]) -> tuple[VerificationKey, ...]:
    return (signing.value.public,)


def _warn(file: WatchedFile[Any]) -> None:
    for warning in getattr(file.value, "warnings", ()):
        logs.get().warning(warning)
