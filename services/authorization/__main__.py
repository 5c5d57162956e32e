"""The authorization stage as a process: `python -m services.authorization --listen ... --storage ...`."""

from __future__ import annotations

import asyncio
import hashlib
import sys

from kubehop import __version__
from kubehop.hop import logs, process
from kubehop.hop.addresses import AddressError
from kubehop.hop.client import StageClient
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.authorization.v1 import AuthorizationRpcs
from kubehop.reflector import Pulse, Replica
from services.authorization import settings as stage_settings
from services.authorization.servicer import AuthorizationServicer
from services.authorization.settings import Settings
from services.authorization.sources import Sources

HEALTH_INTERVAL = 0.25
"""Seconds between looks at the replicas' age."""


async def keep_health(server: StageServer, replica: Replica, max_staleness: float) -> None:
    """Serve while the replicas are fresh, forever."""
    serving = False
    while True:
        fresh = replica.fresh_for(max_staleness)
        if fresh != serving:
            serving = fresh
            server.set_serving(fresh)
            if fresh:
                logs.get().info("ready", revision=max((each.revision for each in replica.reflectors), default=0))
            else:
                logs.get().error("not deciding on old rules until storage is back", silent_for=f"{replica.age:.1f}s")
        await asyncio.sleep(HEALTH_INTERVAL if serving else HEALTH_INTERVAL / 10)


async def serve(settings: Settings) -> int:
    """Serve until the process is told to stop."""
    authorization = settings.authorization
    storage = StageClient("storage", settings.stage.storage, tls=settings.stage.tls)
    # three questions fit into the bound, so that one lost answer does not end the service
    pulse = Pulse(storage, interval=authorization.max_staleness / 3, timeout=authorization.max_staleness / 4)
    sources = Sources(storage, authorization.modes, pulse)
    stage = Stage(
        name="authorization",
        contract="kubehop.authorization.v1",
        version=__version__,
        capabilities=tuple(f"authorizer:{mode}" for mode in sources.union.modes),
        configuration_digest=hashlib.sha256(repr(authorization).encode()).hexdigest(),
    )
    servicer = AuthorizationServicer(sources.union, sources.rbac, sources.replica, authorization.max_staleness)
    server = StageServer(
        stage, AuthorizationRpcs.SERVICE, servicer, listen=settings.stage.listen, tls=settings.stage.tls
    )
    await server.start()
    await storage.connect()
    process.spawn(sources.replica.run(), name="replica", critical=True)
    health = process.spawn(
        keep_health(server, sources.replica, authorization.max_staleness), name="health", critical=True
    )
    await process.until_stopped()
    health.cancel()
    server.set_serving(False)
    await server.stop(settings.stage.grace)
    await storage.close()
    return 0


def main() -> None:
    """Read the flags, then serve; exit status 2 for what the operator must correct."""
    settings = stage_settings.read()
    logs.configure("authorization", settings.stage.log)

    async def run() -> int:
        try:
            return await serve(settings)
        except AddressError as error:
            sys.stderr.write(f"kubehop authorization: {error}\n")
            return 2

    process.run(run)


if __name__ == "__main__":
    main()
