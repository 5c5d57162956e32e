"""Where a service of the cluster listens: one of its ready endpoints, or its cluster address where none is known.

Asked by `calls` for each new connection; kept-alive connections need no look-up. Source of the behaviour: apiserver
pkg/util/proxy/proxy.go. Where nothing routes cluster addresses, as with no kube-proxy about, endpoints still work.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import NamedTuple

from kubehop.machinery.objects import Object, labels
from services.admission.cluster import Cluster

_OF_SERVICE = "kubernetes.io/service-name"


class Address(NamedTuple):
    """Where to connect."""

    host: str
    port: int


class UnresolvedError(OSError):
    """A service that cannot be reached; the message is for clients."""


class Services:
    """The services of the cluster, as storage has them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def resolve(self, namespace: str, name: str, port: int) -> Address:
        """An address for a port of a service. UnresolvedError where there is none."""
        service = await self._cluster.get("", "services", namespace, name)
        if service is None:
            raise UnresolvedError(f'service "{name}" not found')
        spec = service.get("spec") or {}
        kind = spec.get("type") or "ClusterIP"
        if kind == "ExternalName":
            return Address(spec.get("externalName") or "", port)
        if kind not in {"ClusterIP", "LoadBalancer", "NodePort"}:
            raise UnresolvedError(f'unsupported service type "{kind}"')
        service_port = next((one for one in spec.get("ports") or () if one.get("port") == port), None)
        if service_port is None:
            raise UnresolvedError(f'no service port {port} found for service "{name}"')
        endpoints = await self._endpoints(namespace, name, service_port)
        if endpoints:
            return random.choice(endpoints)  # noqa: S311 - spreads load, guards nothing
        address = spec.get("clusterIP") or ""
        if address in {"", "None"}:
            raise UnresolvedError(f'no endpoints available for service "{name}"')
        return Address(address, port)

    async def _endpoints(self, namespace: str, name: str, service_port: Mapping[str, object]) -> list[Address]:
        found: list[Address] = []
        wanted = service_port.get("name") or ""
        for part in await self._cluster.list("discovery.k8s.io", "endpointslices", namespace):
            if labels(part).get(_OF_SERVICE) != name:
                continue
            ports = [
                one["port"] for one in part.get("ports") or () if (one.get("name") or "") == wanted and "port" in one
            ]
            ready = [one for one in part.get("endpoints") or () if _is_ready(one)]
            found += [Address(one["addresses"][0], port) for port in ports[:1] for one in ready]
        return found


def _is_ready(endpoint: Object) -> bool:
    ready = (endpoint.get("conditions") or {}).get("ready")
    return ready is not False and bool(endpoint.get("addresses"))
