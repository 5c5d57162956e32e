"""bootstrap-controller: the Service `kubernetes`, by which whatever runs in the cluster finds the API server.

It has the first address of the Service range, and Endpoints and an EndpointSlice with the address that this server
advertises. All of them are put right again every ten seconds. Source of the behaviour:
pkg/controlplane/controller/kubernetesservice/controller.go and pkg/controlplane/reconcilers. kube-apiservers agree on
the list of addresses by leases of their own; gateways that share a cluster here advertise one address in common.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.hooks.objects import ObjectExistsError, Objects
from gateway.hooks.runner import Hook
from kubehop.machinery.objects import Object, deep_copy

NAMESPACE: Final = "default"
NAME: Final = "kubernetes"
SERVICE_PORT: Final = 443
INTERVAL_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where this server can be reached from within the cluster."""

    address: str
    """IP address that it advertises; empty when it has none that others could use."""
    port: int
    """The secure port behind that address."""


def default_advertise_address(bind_address: str) -> str:
    """The address to advertise when none is configured; empty when the machine has none but loopback.

    As kube-apiserver does: the bind address, or the address of the interface with the default route where the bind
    address is unspecified or loopback (Endpoints must not point to loopback).
    """
    try:
        bound = ipaddress.ip_address(bind_address)
    except ValueError:
        return ""
    if not bound.is_unspecified and not bound.is_loopback:
        return str(bound)
    family, elsewhere = (socket.AF_INET, "192.0.2.1") if bound.version == 4 else (socket.AF_INET6, "2001:db8::1")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((elsewhere, 9))  # sends nothing: only asks the kernel for the route
        except OSError:
            return ""
        own: str = probe.getsockname()[0]
    return "" if ipaddress.ip_address(own).is_loopback else own


def service_address(service_range: str) -> str:
    """The first address of the Service range (of the first one, where two are given)."""
    network = ipaddress.ip_network(service_range.split(",", maxsplit=1)[0].strip())
    return str(network[1])


def hook(objects: Objects, service_range: str, endpoint: Endpoint) -> Hook:
    """The hook over these objects."""
    address = service_address(service_range)

    async def run() -> None:
        await _ensure(objects, "networking.k8s.io", "ipaddresses", _ip_address(address), _same)
        await _ensure(objects, "", "services", _service(address, endpoint.port), _service_put_right)
        if endpoint.address:
            await _ensure(objects, "", "endpoints", _endpoints(endpoint), _endpoints_put_right)
            await _ensure(
                objects, "discovery.k8s.io", "endpointslices", _endpoint_slice(endpoint), _endpoint_slice_put_right
            )

    return Hook("bootstrap-controller", run, again_every=INTERVAL_SECONDS)


async def _ensure(
    objects: Objects, group: str, resource: str, wanted: Object, put_right: Callable[[Object, Object], Object | None]
) -> None:
    meta = wanted["metadata"]
    found = await objects.get(group, resource, meta.get("namespace", ""), meta["name"])
    if found is None:
        try:
            await objects.create(group, resource, wanted)
        except ObjectExistsError:
            return
        return
    changed = put_right(found, wanted)
    if changed is not None:
        await objects.update(group, resource, changed)


def _same(found: Object, wanted: Object) -> Object | None:  # noqa: ARG001 - the form of every put_right
    return None


def _service_put_right(found: Object, wanted: Object) -> Object | None:
    """Ports and type are ours; address, labels and all else stay."""
    spec, ours = found.get("spec") or {}, wanted["spec"]
    if spec.get("ports") == ours["ports"] and spec.get("type") == ours["type"]:
        return None
    changed = deep_copy(found)
    changed["spec"] = {**spec, "ports": ours["ports"], "type": ours["type"]}
    return changed


def _endpoints_put_right(found: Object, wanted: Object) -> Object | None:
    labels = found["metadata"].get("labels") or {}
    merged = {**labels, **wanted["metadata"]["labels"]}
    if found.get("subsets") == wanted["subsets"] and labels == merged:
        return None
    changed = deep_copy(found)
    changed["metadata"]["labels"] = merged
    changed["subsets"] = wanted["subsets"]
    return changed


def _endpoint_slice_put_right(found: Object, wanted: Object) -> Object | None:
    labels = found["metadata"].get("labels") or {}
    merged = {**labels, **wanted["metadata"]["labels"]}
    ours = {key: wanted[key] for key in ("addressType", "endpoints", "ports")}
    if labels == merged and all(found.get(key) == value for key, value in ours.items()):
        return None
    changed = deep_copy(found)
    changed["metadata"]["labels"] = merged
    changed.update(ours)
    return changed


def _service(address: str, target_port: int) -> Object:
    family = f"IPv{ipaddress.ip_address(address).version}"
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "ports": [{"name": "https", "protocol": "TCP", "port": SERVICE_PORT, "targetPort": target_port}],
            "clusterIP": address,
            "clusterIPs": [address],
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ipFamilies": [family],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        },
        "status": {"loadBalancer": {}},
    }


def _ip_address(address: str) -> Object:
    """The reservation of the Service's address, as the allocator of Service addresses makes it."""
    return {
        "kind": "IPAddress",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": {
            "name": address,
            "labels": {
                "ipaddress.kubernetes.io/ip-family": f"IPv{ipaddress.ip_address(address).version}",
                "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
            },
        },
        "spec": {"parentRef": {"resource": "services", "namespace": NAMESPACE, "name": NAME}},
    }


def _endpoints(endpoint: Endpoint) -> Object:
    return {
        "kind": "Endpoints",
        "apiVersion": "v1",
        "metadata": {
            "name": NAME,
            "namespace": NAMESPACE,
            # the slice below is ours as well, nobody is to mirror the Endpoints into another
            "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
        },
        "subsets": [
            {
                "addresses": [{"ip": endpoint.address}],
                "ports": [{"name": "https", "port": endpoint.port, "protocol": "TCP"}],
            }
        ],
    }


def _endpoint_slice(endpoint: Endpoint) -> Object:
    return {
        "kind": "EndpointSlice",
        "apiVersion": "discovery.k8s.io/v1",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": {"kubernetes.io/service-name": NAME}},
        "addressType": f"IPv{ipaddress.ip_address(endpoint.address).version}",
        "endpoints": [{"addresses": [endpoint.address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "protocol": "TCP", "port": endpoint.port}],
    }
