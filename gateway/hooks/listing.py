"""The post-start hooks of the gateway in one list.

The gateway's `__main__` hands in its settings and its way to storage and runs the list with `PostStartHooks`.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.hooks import (
    bootstrap_roles,
    flow_control,
    kubernetes_service,
    priority_classes,
    service_cidr,
    system_namespaces,
)
from gateway.hooks.objects import Objects
from gateway.hooks.runner import Hook


@dataclass(frozen=True, slots=True)
class BootstrapSettings:
    """What the bootstrap objects depend on."""

    service_range: str = "10.96.0.0/16"
    """--service-cluster-ip-range: CIDR from which Services get addresses, or two of different families with a comma."""
    secure_port: int = 6443
    """Port at which the advertised address is reached."""
    advertise_address: str = ""
    """IP address under which others reach the gateway; empty leaves Endpoints of the Service `kubernetes` out."""


def hooks(objects: Objects, settings: BootstrapSettings) -> list[Hook]:
    """Every hook; they run at the same time and need no order among themselves."""
    endpoint = kubernetes_service.Endpoint(settings.advertise_address, settings.secure_port)
    return [
        system_namespaces.hook(objects),
        bootstrap_roles.hook(objects),
        priority_classes.hook(objects),
        service_cidr.hook(objects, settings.service_range),
        kubernetes_service.hook(objects, settings.service_range, endpoint),
        flow_control.hook(objects),
    ]
