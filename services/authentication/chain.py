"""The authenticators of this process, made from its settings.

`__main__` builds a `Chain` and runs its `watch`; the order is that of kube-apiserver (pkg/kubeapiserver/authenticator):
client certificates, bearer tokens, tokens of websockets, then anonymous.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
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


class Chain:
    """What the settings ask for, ready to decide."""

    def __init__(self, settings: AuthenticationSettings) -> None:
        """Read the files. Raises BadFileError or OSError with the file's name where one cannot be used."""
        self._settings = settings
        self._files: list[WatchedFile[Any]] = []
        chain = [*self._certificates(), *self._tokens()]
        self.authenticator: Authenticator = compose(chain, AnonymousAuthenticator() if settings.anonymous else None)
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

    def _tokens(self) -> list[Authenticator]:
        chain: list[TokenAuthenticator] = []
        path = self._settings.token_auth_file
        if path is not None:
            tokens: WatchedFile[TokenTable] = WatchedFile(path, partial(parse_tokens, str(path)))
            self._files.append(tokens)
            _warn(tokens)
            chain.append(TokenFileAuthenticator(tokens, self._settings.api_audiences))
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


def _warn(file: WatchedFile[Any]) -> None:
    for warning in getattr(file.value, "warnings", ()):
        logs.get().warning(warning)
