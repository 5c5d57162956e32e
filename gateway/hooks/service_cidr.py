"""start-kubernetes-service-cidr-controller: the ServiceCIDR `kubernetes`, from --service-cluster-ip-range.

Made where it is missing and marked ready; one that has other ranges is left alone, apart from growing from one IP
family to two. Source of the behaviour: pkg/controlplane/controller/defaultservicecidr.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from gateway.hooks.objects import ObjectExistsError, Objects
from gateway.hooks.runner import Hook
from kubehop.hop import logs
from kubehop.machinery import timestamps
from kubehop.machinery.objects import Object, deep_copy, nested

GROUP: Final = "networking.k8s.io"
RESOURCE: Final = "servicecidrs"
NAME: Final = "kubernetes"
INTERVAL_SECONDS: Final = 10.0
_READY_MESSAGE: Final = "Kubernetes default Service CIDR is ready"


def hook(objects: Objects, service_range: str) -> Hook:
    """The hook over these objects."""
    ranges = [str(ipaddress.ip_network(part.strip())) for part in service_range.split(",")]

    async def run() -> None:
        found = await objects.get(GROUP, RESOURCE, "", NAME)
        if found is None:
            try:
                await objects.create(GROUP, RESOURCE, _service_cidr(ranges))
            except ObjectExistsError:
                return
            return
        changed = put_right(found, ranges)
        if changed is not None:
            await objects.update(GROUP, RESOURCE, changed)

    return Hook("start-kubernetes-service-cidr-controller", run, again_every=INTERVAL_SECONDS)


def put_right(found: Object, ranges: list[str]) -> Object | None:
    """The ServiceCIDR with what it lacks; None where it lacks nothing or is not ours to change."""
    present = nested(found, "spec", "cidrs") or []
    if len(ranges) == 2 and present == ranges[:1]:
        changed = deep_copy(found)
        changed["spec"]["cidrs"] = ranges
        return changed
    if nested(found, "metadata", "deletionTimestamp"):
        return None
    if present != ranges:
        logs.get().warning("the default ServiceCIDR has other ranges than the flag", present=present, flag=ranges)
        return None
    conditions = nested(found, "status", "conditions") or []
    state = next((condition.get("status") for condition in conditions if condition.get("type") == "Ready"), "Unknown")
    if state != "Unknown":
        return None
    changed = deep_copy(found)
    others = [condition for condition in conditions if condition.get("type") != "Ready"]
    changed["status"] = {**(found.get("status") or {}), "conditions": [*others, _ready()]}
    return changed


def _service_cidr(ranges: list[str]) -> Object:
    return {
        "kind": "ServiceCIDR",
        "apiVersion": f"{GROUP}/v1",
        "metadata": {"name": NAME},
        "spec": {"cidrs": ranges},
        "status": {"conditions": [_ready()]},
    }


def _ready() -> dict[str, Any]:
    return {
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": timestamps.now(),
        "reason": "",
        "message": _READY_MESSAGE,
    }
