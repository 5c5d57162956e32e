"""The networking.k8s.io group: ingresses, network policies, and the service address ranges."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import Resource, served, status

_served = partial(served, "networking.k8s.io", "v1", home="networking")

RESOURCES: tuple[Resource, ...] = (
    _served("ingressclasses", "IngressClass", namespaced=False),
    _served(
        "ingresses",
        "Ingress",
        namespaced=True,
        short_names=("ing",),
        subresources=(status("Ingress"),),
        storage_prefix="ingress",
    ),
    _served("ipaddresses", "IPAddress", namespaced=False, short_names=("ip",)),
    _served("networkpolicies", "NetworkPolicy", namespaced=True, short_names=("netpol",)),
    _served("servicecidrs", "ServiceCIDR", namespaced=False, subresources=(status("ServiceCIDR"),)),
)
