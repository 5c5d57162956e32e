"""The parts of the storage stage put together, without a server: `__main__` serves them, tests and tools take them.

One visible place for what stands on what; `close` ends it all in reverse.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.storage.compaction import Compactor
from services.storage.encryption.sealed import SealedEtcd
from services.storage.encryption.vault import Vault
from services.storage.etcd import Etcd
from services.storage.freshness import Freshness
from services.storage.keys import IsBuiltIn, KeyLayout, in_catalogue
from services.storage.leases import Leases
from services.storage.lists import Lists
from services.storage.metrics import StorageCollector
from services.storage.servicer import Parts, StorageServicer
from services.storage.settings import CacheSettings, EtcdSettings, LeaseSettings
from services.storage.store import Store
from services.storage.watch_cache import WatchCache
from services.storage.watches import Watches

_NARROW = 0.01  # seconds


@dataclass(frozen=True, slots=True)
class Assembly:
    """A storage stage; run `run()` to bring it to life."""

    etcd: Etcd
    vault: Vault | None
    """Encryption, where it is configured."""
    cache: WatchCache
    freshness: Freshness
    compactor: Compactor
    servicer: StorageServicer

    def collector(self) -> StorageCollector:
        """What it counts."""
        return StorageCollector(self.etcd.requests, self.cache, self.freshness, lambda: self.etcd.quorum_reads)

    async def run(self) -> None:
        """Fill memory and follow etcd, for ever, with whatever else has to be kept going beside."""
        async with asyncio.TaskGroup() as beside:
            if self.vault is not None:
                etcd = self.etcd
                assert isinstance(etcd, SealedEtcd)
                self.vault.on_change = lambda: etcd.try_again(self.cache)
                await self.vault.start()
                beside.create_task(self.vault.run(), name="encryption configuration")
                beside.create_task(etcd.keep_trying(self.cache), name="unreadable values")
            beside.create_task(self.compactor.run(), name="etcd compaction")
            beside.create_task(self.cache.run(), name="storage cache")

    async def close(self) -> None:
        """Close the connections to etcd; after `run()` has been cancelled."""
        await self.freshness.close()
        if self.vault is not None:
            await self.vault.close()
        await self.etcd.close()


def assemble(
    etcd_settings: EtcdSettings,
    cache_settings: CacheSettings,
    lease_settings: LeaseSettings,
    *,
    is_built_in: IsBuiltIn = in_catalogue,
) -> Assembly:
    """Build the parts.

    Raises:
        ConfigurationError: the encryption file cannot be used.
    """
    layout = KeyLayout(etcd_settings.prefix, is_built_in)
    vault = Vault(etcd_settings.encryption_file, layout.root) if etcd_settings.encryption_file else None
    etcd = Etcd(etcd_settings) if vault is None else SealedEtcd(etcd_settings, vault)
    cache = WatchCache(etcd, layout.root, cache_settings)
    # a revision that somebody else's write brought never comes by a watch of the registry alone
    freshness = Freshness(etcd.revision, cache, lambda: _NARROW if etcd.narrow else cache_settings.patience_seconds)
    store = Store(etcd, cache, freshness, Leases(etcd.grant, lease_settings))
    lists = Lists(etcd, cache, freshness)
    watches = Watches(cache, freshness, cache_settings)
    servicer = StorageServicer(Parts(layout, etcd, cache, store, lists, watches))
    compactor = Compactor(etcd, etcd_settings.compaction_seconds)
    return Assembly(etcd, vault, cache, freshness, compactor, servicer)
