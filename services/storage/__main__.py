"""Wires the storage stage: `python -m services.storage --listen unix:/run/storage.sock --etcd-servers https://...`."""

from __future__ import annotations

from kubehop import __version__
from kubehop.hop import logs, process
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.storage.v1 import StorageRpcs
from services.storage import settings as settings_module
from services.storage.etcd import Etcd
from services.storage.freshness import Freshness
from services.storage.keys import KeyLayout
from services.storage.leases import Leases
from services.storage.lists import Lists
from services.storage.servicer import Parts, StorageServicer
from services.storage.settings import StorageSettings
from services.storage.store import Store
from services.storage.watch_cache import WatchCache
from services.storage.watches import Watches


async def serve(settings: StorageSettings) -> None:
    """Run the stage until it is asked to stop."""
    layout = KeyLayout(settings.etcd.prefix)
    etcd = Etcd(settings.etcd)
    cache = WatchCache(etcd, layout.root, settings.cache)
    freshness = Freshness(etcd.revision, cache, settings.cache.patience_seconds)
    store = Store(etcd, cache, freshness, Leases(etcd.grant, settings.leases))
    lists = Lists(etcd, cache, freshness)
    watches = Watches(cache, freshness, settings.cache)
    server = StageServer(
        Stage("storage", "kubehop.storage.v1", __version__, configuration_digest=settings.digest),
        StorageRpcs.SERVICE,
        StorageServicer(Parts(layout, etcd, cache, store, lists, watches)),
        listen=settings.stage.listen,
        tls=settings.stage.tls,
    )
    await server.start()
    cache.on_ready = server.set_serving
    following = process.spawn(cache.run(), name="storage watch cache", critical=True)
    await process.until_stopped()
    cache.on_ready = lambda _ready: None
    # those who watch would keep the server waiting: their streams end so that clients go elsewhere
    cache.hub.close_all()
    await server.stop(settings.stage.grace)
    following.cancel()
    await freshness.close()
    await etcd.close()


def main() -> None:
    """Read the settings and run."""
    settings = settings_module.parse()
    logs.configure("storage", settings.stage.log)
    process.run(lambda: serve(settings))


if __name__ == "__main__":
    main()
