"""Wires the storage stage: `python -m services.storage --listen unix:/run/storage.sock --etcd-servers https://...`."""

from __future__ import annotations

from kubehop import __version__
from kubehop.hop import addresses, logs, process
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.storage.v1 import StorageRpcs
from services.storage import settings as settings_module
from services.storage.assembly import assemble
from services.storage.encryption.configuration import ConfigurationError
from services.storage.metrics import MetricsSocket
from services.storage.settings import StorageSettings


async def serve(settings: StorageSettings) -> int:
    """Run the stage until it is asked to stop; the exit status."""
    try:
        assembly = assemble(settings.etcd, settings.cache, settings.leases)
    except ConfigurationError as error:
        for problem in error.problems:
            logs.get().error("--encryption-provider-config cannot be used", problem=problem)
        return 2
    cache = assembly.cache
    server = StageServer(
        Stage("storage", "kubehop.storage.v1", __version__, configuration_digest=settings.digest),
        StorageRpcs.SERVICE,
        assembly.servicer,
        listen=settings.stage.listen,
        tls=settings.stage.tls,
    )
    exposed = MetricsSocket(settings.metrics_socket, assembly.collector()) if settings.metrics_socket else None
    try:
        await server.start()
    except addresses.AddressError as error:
        logs.get().error(str(error))
        await assembly.close()
        return 2
    if exposed is not None:
        await exposed.start()
    cache.on_ready = server.set_serving
    following = process.spawn(assembly.run(), name="storage watch cache", critical=True)
    await process.until_stopped()
    cache.on_ready = lambda _ready: None
    # watches would keep the server waiting; they end at once, so that their clients go on elsewhere
    cache.hub.close_all()
    await server.stop(settings.stage.grace)
    if exposed is not None:
        await exposed.close()
    following.cancel()
    await assembly.close()
    return 0


def main() -> None:
    """Read the settings and run."""
    settings = settings_module.parse()
    logs.configure("storage", settings.stage.log)
    process.run(lambda: serve(settings))


if __name__ == "__main__":
    main()
