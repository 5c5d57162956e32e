"""Wires the admission stage: settings, storage, replicas, the chain, its servicer, the server.

python -m services.admission --listen unix:/run/admission.sock --storage unix:/run/storage.sock \\
    --authorization unix:/run/authorization.sock
"""

from __future__ import annotations

import asyncio
import hashlib

import kubehop
from kubehop.hop import logs, process
from kubehop.hop.client import StageClient
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.admission.v1 import AdmissionRpcs
from services.admission import registry
from services.admission.authorizer import StageAuthorizer
from services.admission.chain import GATED
from services.admission.cluster import StoredCluster
from services.admission.plugins.webhooks.calls import Caller
from services.admission.servicer import AdmissionServicer
from services.admission.settings import AdmissionSettings, read
from services.admission.surroundings import Surroundings


async def serve(settings: AdmissionSettings) -> None:
    """Run the stage until it is asked to stop. It serves once every replica that a plugin needs has synced."""
    stage, plugins = settings.stage, settings.plugins
    log = logs.get()
    log.info("admission plugins in order", plugins=", ".join(plugins.names))
    if plugins.missing:
        log.warning("on by default in kube-apiserver, not built into kubehop yet", plugins=", ".join(plugins.missing))
    log.info("without effect while their feature gates are off", plugins=", ".join(sorted(GATED)))

    storage = StageClient("storage", stage.storage, tls=stage.tls)
    authorization = StageClient("authorization", settings.authorization, tls=stage.tls)
    cluster = StoredCluster(storage)
    caller = Caller(cluster)
    surroundings = Surroundings(cluster, StageAuthorizer(authorization), caller, settings.configurations)
    chain = registry.build(plugins, surroundings)
    server = StageServer(
        Stage(
            name="admission",
            contract="kubehop.admission.v1",
            version=kubehop.__version__,
            capabilities=plugins.names,
            configuration_digest=hashlib.sha256("\n".join(plugins.names).encode()).hexdigest(),
        ),
        AdmissionRpcs.SERVICE,
        AdmissionServicer(chain),
        listen=stage.listen,
        tls=stage.tls,
    )
    await storage.connect()
    await authorization.connect()
    try:
        await server.start()
        for reflector in cluster.reflectors:
            name = f"replica of {reflector.title}"
            process.spawn(reflector.run(), name=name, critical=True)

        async def announce() -> None:
            await asyncio.gather(*(reflector.synced.wait() for reflector in cluster.reflectors))
            server.set_serving(True)
            log.info("serving", replicas=", ".join(reflector.title for reflector in cluster.reflectors))

        process.spawn(announce(), name="readiness", critical=True)
        await process.until_stopped()
    finally:
        await server.stop(stage.grace)
        await caller.close()
        await authorization.close()
        await storage.close()


def main() -> None:
    """Entry point of `python -m services.admission`."""
    settings = read()
    logs.configure("admission", settings.stage.log)
    process.run(lambda: serve(settings))


if __name__ == "__main__":
    main()
