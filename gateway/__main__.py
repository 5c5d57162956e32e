"""Starts the gateway: `python -m gateway --help` lists the flags.

Everything is wired here, top to bottom, and closed in reverse: settings, clients of the stages, backends, handler,
chain, port, post-start hooks, signals.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import sys

from gateway import chain
from gateway.allocation import Allocations, ClusterIPs, NodePorts, repair
from gateway.backends import (
    AdmissionBackend,
    AuthenticationBackend,
    AuthorizationBackend,
    Backends,
    StorageBackend,
)
from gateway.endpoints import install_endpoints
from gateway.endpoints.health import Health
from gateway.hooks import BootstrapSettings, PostStartHooks, StoredObjects, hooks
from gateway.lifecycle import Lifecycle
from gateway.metrics import Metrics
from gateway.reviews import install_reviews
from gateway.routing import Router
from gateway.server.listener import Listener, PortError, open_socket
from gateway.settings import Settings, parse
from gateway.subresources import install_subresources
from gateway.verbs import Tools, install_guarded, install_verbs
from gateway.watching.hub import Hub
from kubehop.hop import logs, process
from kubehop.hop.client import StageClient

LONG_RUNNING_SECONDS = 5.0
"""How long watches may take to end once they are told to."""


async def serve(settings: Settings, bound: socket.socket) -> None:
    """Serve until the process is told to stop, then finish what is in flight."""
    stages, limits = settings.stages, settings.limits
    clients = {
        name: StageClient(name, targets, tls=stages.tls)
        for name, targets in (
            ("authentication", stages.authentication),
            ("authorization", stages.authorization),
            ("admission", stages.admission),
            ("storage", stages.storage),
        )
    }
    for client in clients.values():
        await client.connect()
    storage = StorageBackend(clients["storage"])
    backends = Backends(
        AuthenticationBackend(clients["authentication"]),
        AuthorizationBackend(clients["authorization"]),
        AdmissionBackend(clients["admission"]),
        storage,
    )

    lifecycle, metrics = Lifecycle(), Metrics()
    hub = Hub(storage)
    cluster, objects = settings.cluster, StoredObjects(clients["storage"])
    allocations = Allocations(ClusterIPs(cluster.service_cluster_ip_range), NodePorts(cluster.service_node_port_range))
    bootstrap = PostStartHooks([*hooks(objects, _bootstrap(settings)), repair.hook(objects, allocations.node_ports)])
    health = Health(
        lifecycle,
        {name: client.health for name, client in clients.items()},
        lambda: storage.revision(None),
        bootstrap,
    )
    tools = Tools(backends, hub, lifecycle, metrics, cluster, allocations, limits.min_request_timeout)
    router = Router(
        install_endpoints(health, metrics, backends.authentication),
        install_verbs(tools),
        {**install_reviews(tools), **install_subresources(tools), **install_guarded(tools)},
    )
    parts = chain.Parts(
        backends=backends,
        lifecycle=lifecycle,
        metrics=metrics,
        log=logs.hops(),
        request_timeout=limits.request_timeout,
        max_requests_in_flight=limits.max_requests_in_flight,
        max_mutating_requests_in_flight=limits.max_mutating_requests_in_flight,
        cors_allowed_origins=settings.serving.cors_allowed_origins,
    )
    listener = Listener(settings.serving, chain.compose(chain.filters(parts), router))

    await listener.open(bound)
    bootstrap.start()
    logs.get().info("serving", address=settings.serving.bind_address, port=settings.serving.secure_port)
    try:
        await process.until_stopped()
    finally:
        await shut_down(lifecycle, listener, bootstrap, hub, limits.shutdown_delay, limits.request_timeout)
        for client in reversed(clients.values()):
            await client.close()


async def shut_down(
    lifecycle: Lifecycle, listener: Listener, bootstrap: PostStartHooks, hub: Hub, delay: float, patience: float
) -> None:
    """End in kube-apiserver's order: readyz fails, the delay passes, requests finish, watches end, the port closes."""
    lifecycle.shutting_down = True
    logs.get().info("shutting down", in_flight=lifecycle.in_flight, delay_s=delay)
    await asyncio.sleep(delay)
    lifecycle.draining = True
    await bootstrap.stop()
    await listener.stop_accepting()
    try:
        async with asyncio.timeout(patience):
            await lifecycle.drained.wait()
    except TimeoutError:
        logs.get().warning("requests did not finish in time", in_flight=lifecycle.in_flight)
    lifecycle.ending.set()
    await listener.close(LONG_RUNNING_SECONDS)
    hub.close()


def _bootstrap(settings: Settings) -> BootstrapSettings:
    """Return what the bootstrap objects depend on; an unspecific bind address is nobody's address."""
    address = settings.serving.bind_address
    specific = not (ipaddress.ip_address(address).is_unspecified or ipaddress.ip_address(address).is_loopback)
    return BootstrapSettings(
        ",".join(settings.cluster.service_cluster_ip_range), settings.serving.secure_port, address if specific else ""
    )


def main() -> None:
    """Read the settings, take the port, serve."""
    settings = parse()
    logs.configure("gateway", settings.log)
    try:
        bound = open_socket(settings.serving)
    except PortError as error:
        sys.stderr.write(f"python -m gateway: {error}\n")
        raise SystemExit(2) from None
    process.run(lambda: serve(settings, bound))


if __name__ == "__main__":
    main()
