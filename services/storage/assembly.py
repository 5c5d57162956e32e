"""The parts of the storage stage put together, without a server: `__main__` serves them, tests and tools take them.

One visible place for what stands on what; `close` ends it all in reverse.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.storage.etcd import Etcd
from services.storage.freshness import Freshness
from services.storage.keys import IsBuiltIn, KeyLayout, in_catalogue
from services.storage.leases import Leases
from services.storage.lists import Lists
from services.storage.servicer import Parts, StorageServicer
from services.storage.settings import CacheSettings, EtcdSettings, LeaseSettings
from services.storage.store import Store
from services.storage.watch_cache import WatchCache
from services.storage.watches import Watches


@dataclass(frozen=True, slots=True)
class Assembly:
    """A storage stage; run `cache.run()` to bring it to life."""

    etcd: Etcd
    cache: WatchCache
    freshness: Freshness
    servicer: StorageServicer

    async def close(self) -> None:
        """Close the connections to etcd; after `cache.run()` has been cancelled."""
        await self.freshness.close()
        await self.etcd.close()


def assemble(
    etcd_settings: EtcdSettings,
    cache_settings: CacheSettings,
    lease_settings: LeaseSettings,
    *,
    is_built_in: IsBuiltIn = in_catalogue,
) -> Assembly:
    """Build the parts."""
    layout = KeyLayout(etcd_settings.prefix, is_built_in)
    etcd = Etcd(etcd_settings)
    cache = WatchCache(etcd, layout.root, cache_settings)
    freshness = Freshness(etcd.revision, cache, cache_settings.patience_seconds)
    store = Store(etcd, cache, freshness, Leases(etcd.grant, lease_settings))
    lists = Lists(etcd, cache, freshness)
    watches = Watches(cache, freshness, cache_settings)
    servicer = StorageServicer(Parts(layout, etcd, cache, store, lists, watches))
    return Assembly(etcd, cache, freshness, servicer)
