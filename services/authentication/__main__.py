"""The authentication stage as a process: `python -m services.authentication --listen ...`."""

from __future__ import annotations

import sys

from kubehop import __version__
from kubehop.hop import logs, process
from kubehop.hop.addresses import AddressError
from kubehop.hop.client import StageClient
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.authentication.v1 import AuthenticationRpcs
from services.authentication import settings as stage_settings
from services.authentication.chain import Chain
from services.authentication.files import BadFileError
from services.authentication.live import LiveObjects
from services.authentication.servicer import AuthenticationServicer
from services.authentication.settings import Settings


async def serve(settings: Settings, chain: Chain, storage: StageClient | None) -> int:
    """Serve until the process is told to stop."""
    stage = Stage(
        name="authentication",
        contract="kubehop.authentication.v1",
        version=__version__,
        capabilities=tuple(f"authenticator:{name}" for name in chain.names),
        configuration_digest=chain.digest,
    )
    servicer = AuthenticationServicer(chain.authenticator, settings.authentication.api_audiences, chain.issuer)
    server = StageServer(
        stage, AuthenticationRpcs.SERVICE, servicer, listen=settings.stage.listen, tls=settings.stage.tls
    )
    await server.start()
    if storage is not None:
        # not waited for: certificates and static tokens are good without it
        await storage.connect()
    process.spawn(chain.watch(lambda: server.set_configuration_digest(chain.digest)), name="file watch", critical=True)
    server.set_serving(True)
    logs.get().info("ready", authenticators=",".join(chain.names), anonymous=settings.authentication.anonymous)
    await process.until_stopped()
    server.set_serving(False)
    await server.stop(settings.stage.grace)
    if storage is not None:
        await storage.close()
    return 0


def main() -> None:
    """Read the flags and the files, then serve; exit status 2 for what the operator must correct."""
    settings = stage_settings.read()
    logs.configure("authentication", settings.stage.log)
    stage = settings.stage
    storage = StageClient("storage", stage.storage, tls=stage.tls) if stage.storage else None
    try:
        chain = Chain(settings.authentication, LiveObjects(storage) if storage else None)
    except (BadFileError, OSError) as error:
        sys.stderr.write(f"kubehop authentication: {error}\n")
        raise SystemExit(2) from None

    async def run() -> int:
        try:
            return await serve(settings, chain, storage)
        except AddressError as error:
            sys.stderr.write(f"kubehop authentication: {error}\n")
            return 2

    process.run(run)


if __name__ == "__main__":
    main()
