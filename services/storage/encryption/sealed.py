"""An etcd whose values are sealed: plain on this side, as `vault` says on the other.

Takes the place of `etcd.Etcd` where a configuration is given. A value that does not open becomes an `Unreadable`, which
fails the reads of that object and no others; it is tried again until it opens. A write that cannot be sealed fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from services.storage.encryption.transformers import TransformError
from services.storage.encryption.vault import Vault
from services.storage.entries import Unreadable
from services.storage.errors import SealError, UnavailableError
from services.storage.etcd import Change, Etcd, KeyValue, Page, Written, as_bytes
from services.storage.settings import EtcdSettings
from services.storage.watch_cache import WatchCache

RETRY_SECONDS = 5.0
"""Pause between attempts to read what did not open."""


class SealedEtcd(Etcd):
    """See the module and `etcd.Etcd`."""

    def __init__(self, settings: EtcdSettings, vault: Vault) -> None:
        super().__init__(settings)
        self._vault = vault
        self.unreadable: set[str] = set()
        """Keys whose value did not open the last time."""

    async def get(self, key: str, *, revision: int = 0) -> tuple[KeyValue | None, int]:
        """As Etcd.get, opened."""
        found, now = await super().get(key, revision=revision)
        return (None if found is None else await self._open(found)), now

    async def page(self, start: str, end: str, *, limit: int, revision: int = 0) -> Page:
        """As Etcd.page, opened."""
        page = await super().page(start, end, limit=limit, revision=revision)
        return page._replace(items=[await self._open(item) for item in page.items])

    async def put_if(self, key: str, expected: int, value: bytes, lease: int = 0) -> Written:
        """As Etcd.put_if, sealed. Raises SealError: not written."""
        try:
            sealed = await self._vault.transformer(key).seal(value, as_bytes(key))
        except TransformError as error:
            raise SealError(key, str(error)) from None
        return await self._opened(await super().put_if(key, expected, sealed, lease))

    async def delete_if(self, key: str, expected: int) -> Written:
        """As Etcd.delete_if, opened."""
        return await self._opened(await super().delete_if(key, expected))

    async def changes(self, after: int) -> AsyncGenerator[list[Change], None]:
        """As Etcd.changes, opened."""
        changes = super().changes(after)
        try:
            async for batch in changes:
                yield [change if change.value is None else await self._changed(change) for change in batch]
        finally:
            await changes.aclose()

    async def _changed(self, change: Change) -> Change:
        assert change.value is not None
        opened = await self._open(KeyValue(change.key, change.value, change.revision))
        return Change(change.key, opened.value, change.revision)

    async def _opened(self, written: Written) -> Written:
        if written.current is None:
            return written
        return written._replace(current=await self._open(written.current))

    async def _open(self, found: KeyValue) -> KeyValue:
        key = found.key
        try:
            opened = await self._vault.transformer(key).open(found.value, as_bytes(key))
        except TransformError as error:
            self.unreadable.add(key)
            return KeyValue(key, Unreadable(str(error)), found.mod_revision)
        self.unreadable.discard(key)
        return KeyValue(key, opened.data, found.mod_revision, opened.stale)

    async def keep_trying(self, cache: WatchCache) -> None:
        """Try for ever to open what did not: a plugin comes back, a key is added."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            await self.try_again(cache)

    async def try_again(self, cache: WatchCache) -> None:
        """Read the unreadable once more, and put what opens into memory."""
        for key in list(self.unreadable):
            try:
                found, _ = await self.get(key)
            except UnavailableError:
                return
            if found is None:
                self.unreadable.discard(key)
            elif key not in self.unreadable:
                cache.repair(found)
