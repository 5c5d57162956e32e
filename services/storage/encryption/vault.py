"""The rules in force: which transformer an object's key has, and reading the file again when it changes.

`sealed` asks it for each value; `__main__` runs it. A file that cannot be used leaves the old rules in force and is
reported, each of its problems, without anything secret.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from services.storage.encryption import configuration
from services.storage.encryption.configuration import ConfigurationError, GroupResource, Rule
from services.storage.encryption.resources import Places
from services.storage.encryption.transformers import Choice, Identity, Prefixed, Transformer

if TYPE_CHECKING:
    from services.storage.encryption.kms import Envelope

_log = structlog.get_logger("storage.encryption")
LOOK_SECONDS = 1.0
"""Pause between looks at the file."""
_CLOSING_SECONDS = 10.0
_ANY = GroupResource("*", "*")


class Vault:
    """The transformers of one file."""

    def __init__(self, path: Path, root: str) -> None:
        """Read the file.

        Raises:
            ConfigurationError: it cannot be used.
        """
        self._path = path
        self._places = Places(root)
        self._identity = Identity()
        self._by_resource: Mapping[GroupResource, Transformer] = {}
        self._envelopes: list[Envelope] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stamp = _stamp(path)
        self._known: dict[GroupResource, Transformer] = {}
        text = _content(path)
        self.digest = hashlib.sha256(text).hexdigest()
        """Changes with the file."""
        self._rules = configuration.parse(text)
        self.on_change: Callable[[], Awaitable[None]] | None = None
        """Told after other rules have come into force."""

    def transformer(self, key: str) -> Transformer:
        """What seals and opens the value at a key."""
        resource = self._places.resource_of(key)
        known = self._known.get(resource)
        if known is None:
            rules = self._by_resource
            known = rules.get(resource) or rules.get(GroupResource(resource.group, "*")) or rules.get(_ANY)
            known = self._known[resource] = known or self._identity
        return known

    async def start(self) -> None:
        """Bring the rules into force; plugins are asked once, and again in the background where they do not answer."""
        await self._enforce(self._rules)

    async def run(self) -> None:
        """Watch the file for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._stamp = stamp
                await self._reload()

    async def _reload(self) -> None:
        try:
            text = _content(self._path)
            digest = hashlib.sha256(text).hexdigest()
            if digest == self.digest:
                return
            rules = configuration.parse(text)
        except ConfigurationError as error:
            _log.error("the encryption configuration is wrong, the one before stays in force", problems=error.problems)
            return
        self.digest = digest
        await self._enforce(rules)
        _log.info("encryption configuration read anew", sha256=digest)
        if self.on_change is not None:
            await self.on_change()

    async def _enforce(self, rules: Sequence[Rule]) -> None:
        envelopes: list[Envelope] = []
        choices: dict[GroupResource, list[Prefixed]] = {}
        for rule in rules:
            providers = [self._prefixed(provider, envelopes) for provider in rule.providers]
            for resource in rule.resources:
                choices.setdefault(resource, []).extend(providers)
        await asyncio.gather(*(envelope.look() for envelope in envelopes))
        old, old_tasks = self._envelopes, self._tasks
        self._by_resource = {resource: Choice(each, "no matching prefix found") for resource, each in choices.items()}
        self._known = {}
        self._envelopes = envelopes
        self._tasks = [asyncio.create_task(each.run(), name=f"KMS plugin {each.name}") for each in envelopes]
        for task in old_tasks:
            task.cancel()
        for envelope in old:
            # what is in flight may still need it
            asyncio.get_running_loop().call_later(_CLOSING_SECONDS, _close_soon, envelope)

    def _prefixed(self, provider: configuration.Provider, envelopes: list[Envelope]) -> Prefixed:
        if provider.kms is not None:
            from services.storage.encryption.kms import Envelope

            envelope = Envelope(provider.kms)
            envelopes.append(envelope)
            return Prefixed(f"k8s:enc:kms:v2:{provider.kms.name}:".encode(), envelope)
        if provider.kind == "identity":
            return Prefixed(b"", self._identity)
        from services.storage.encryption import ciphers

        return ciphers.of_keys(provider)

    async def close(self) -> None:
        """Stop asking plugins."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for envelope in self._envelopes:
            await envelope.close()


_closing: set[asyncio.Task[None]] = set()


def _close_soon(envelope: Envelope) -> None:
    task = asyncio.ensure_future(envelope.close())
    _closing.add(task)
    task.add_done_callback(_closing.discard)


def _content(path: Path) -> bytes:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            [f"error reading encryption provider configuration file {path}: {error.strerror}"]
        ) from None
    if not text.strip():
        raise ConfigurationError([f"encryption provider configuration file {path} is empty"])
    return text


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
