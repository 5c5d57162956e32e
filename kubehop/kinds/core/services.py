"""Services: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import service_rules
from kubehop.kinds.defaulting import fill, fill_zero, items, struct
from kubehop.kinds.printing import AGE, NAME, NONE, age, at, documented, load_balancer, name, string_map
from kubehop.kinds.strategy import CHANGES_FIRST, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import names
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _external_ip(obj: Object) -> str:
    spec = obj.get("spec") or {}
    external: list[str] = spec.get("externalIPs") or []
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(external) or NONE
        case "LoadBalancer":
            balancer = load_balancer(obj.get("status"))
            return ",".join([balancer, *external] if balancer else external) or "<pending>"
        case "ExternalName":
            return str(spec.get("externalName") or "")
        case _:
            return "<unknown>"


def _port(port: Object) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', 0)}{node_port}/{port.get('protocol') or ''}"


def _cells(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    addresses = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    return [
        name(obj),
        spec.get("type") or "",
        addresses[0] if addresses else NONE,
        _external_ip(obj),
        ",".join(_port(port) for port in spec.get("ports") or ()) or NONE,
        age(obj, now),
        string_map(at(spec, "selector")),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Type", "core.v1.ServiceSpec.type"),
        documented("Cluster-IP", "core.v1.ServiceSpec.clusterIP"),
        documented("External-IP", "core.v1.ServiceSpec.externalIPs"),
        documented("Port(s)", "core.v1.ServiceSpec.ports"),
        AGE,
        documented("Selector", "core.v1.ServiceSpec.selector", priority=1),
    ),
    cells=_cells,
)


HEADLESS = "None"
"""The address of a service that has none."""

_AFFINITY_SECONDS = 3 * 60 * 60


class STRATEGY(Strategy):
    """Services have an address of the cluster, which the gateway allocates."""

    update_steps = CHANGES_FIRST
    status_resets = (("spec",),)

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Take DNS labels, since v1.36 those that begin with a digit too."""
        return names.name_is_dns_label(name, prefix)

    def default(self, obj: Object) -> None:
        """Fill in the type, the ports and the policies (SetDefaults_Service)."""
        spec = struct(obj, "spec")
        fill(spec, sessionAffinity="None", type="ClusterIP")
        if spec["sessionAffinity"] == "None":
            spec.pop("sessionAffinityConfig", None)
        elif spec["sessionAffinity"] == "ClientIP":
            fill_zero(struct(spec, "sessionAffinityConfig", "clientIP"), timeoutSeconds=_AFFINITY_SECONDS)
        for port in items(spec, "ports"):
            fill(port, protocol="TCP")
            fill_zero(port, targetPort=port.get("port", 0))
        kind = spec["type"]
        if kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and spec.get("externalIPs")):
            fill(spec, externalTrafficPolicy="Cluster")
        if kind != "ExternalName":
            fill(spec, internalTrafficPolicy="Cluster")
        if kind == "LoadBalancer":
            fill(spec, allocateLoadBalancerNodePorts=True)
            for ingress in items(obj, "status", "loadBalancer", "ingress"):
                if ingress.get("ip"):
                    fill(ingress, ipMode="VIP")

    def on_create(self, obj: Object) -> None:
        """Fill in the families of the addresses, those of a cluster with IPv4 alone."""
        spec = struct(obj, "spec")
        if spec.get("type") == "ExternalName":
            return
        if spec.get("clusterIP") == HEADLESS:
            fill_zero(spec, clusterIPs=[HEADLESS])
            if not spec.get("selector"):
                # whoever makes the endpoints decides: both families are possible
                fill(spec, ipFamilyPolicy="RequireDualStack")
                fill_zero(spec, ipFamilies=["IPv4", "IPv6"])
        elif spec.get("clusterIP"):
            fill_zero(spec, clusterIPs=[spec["clusterIP"]])
        fill(spec, ipFamilyPolicy="SingleStack")
        fill_zero(spec, ipFamilies=["IPv4"])

    def on_update(self, new: Object, old: Object) -> None:
        """Keep what was allocated where the client says nothing of it, and drop what the type has no use for."""
        keep_allocated(new, old)
        _drop_unused(struct(new, "spec"), old.get("spec") or {})
        if service_rules.kind_of(old) == "LoadBalancer" != service_rules.kind_of(new):
            new["status"] = {**(new.get("status") or {}), "loadBalancer": {}}  # the old object keeps its own

    def check(self, obj: Object) -> Errors:
        """Check the service."""
        yield from service_rules.service(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep addresses and families, but for services that had or will have none."""
        yield from service_rules.changes(new, old)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check what the balancer says."""
        if subresource == "status":
            yield from service_rules.status(new, old)

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of fields that are ignored or on their way out."""
        _ = old
        return list(service_rules.warnings(obj))


def keep_allocated(new: Object, old: Object) -> None:
    """Fill in what was allocated before and is needed still (patchAllocatedValues, normalizeClusterIPs). Changes it."""
    after, before = struct(new, "spec"), old.get("spec") or {}
    if "ExternalName" not in (after.get("type"), before.get("type")):
        _keep_addresses(after, before)
        _keep_node_ports(after, before)
    if service_rules.needs_health_check(new) and service_rules.needs_health_check(old):
        fill_zero(after, healthCheckNodePort=before.get("healthCheckNodePort") or 0)


def _keep_addresses(after: Object, before: Object) -> None:
    given = bool(after.get("clusterIP"))
    for field in ("clusterIP", "clusterIPs") if not given else ():
        if not after.get(field) and before.get(field):
            after[field] = before[field]
    if given and not after.get("clusterIPs"):
        same = after["clusterIP"] == before.get("clusterIP")
        after["clusterIPs"] = before.get("clusterIPs") if same else [after["clusterIP"]]
    for field in ("ipFamilies", "ipFamilyPolicy"):
        if not after.get(field) and before.get(field):
            after[field] = before[field]


def _keep_node_ports(after: Object, before: Object) -> None:
    if after.get("type") not in ("NodePort", "LoadBalancer") or before.get("type") not in ("NodePort", "LoadBalancer"):
        return
    known = {port.get("name") or "": port.get("nodePort") or 0 for port in before.get("ports") or ()}
    taken = set(known.values()) & {port.get("nodePort") or 0 for port in after.get("ports") or ()}
    for port in after.get("ports") or ():
        number = known.get(port.get("name") or "", 0)
        if number and not port.get("nodePort") and number not in taken:
            port["nodePort"] = number
            taken.add(number)


def _drop_unused(after: Object, before: Object) -> None:
    """Drop what came with the old type and was not changed, where the new type does not have it."""
    had, has = before.get("type"), after.get("type")
    if has == "ExternalName" and had != has:
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            if after.get(field) == before.get(field):
                after.pop(field, None)
    if had in ("NodePort", "LoadBalancer") and has not in ("NodePort", "LoadBalancer"):
        _drop_node_ports(after, before)
    balanced = had == "LoadBalancer" and before.get("externalTrafficPolicy") == "Local"
    still = has == "LoadBalancer" and after.get("externalTrafficPolicy") == "Local"
    if balanced and not still and after.get("healthCheckNodePort") == before.get("healthCheckNodePort"):
        after.pop("healthCheckNodePort", None)
    if had == "LoadBalancer" and has != had:
        for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            if after.get(field) == before.get(field):
                after.pop(field, None)


def _drop_node_ports(after: Object, before: Object) -> None:
    known = {port.get("nodePort") for port in before.get("ports") or ()}
    for port in after.get("ports") or ():
        if port.get("nodePort") in known:
            port.pop("nodePort", None)
    external = bool(after.get("externalIPs")) and after.get("type") == "ClusterIP"
    if not external and after.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
        after.pop("externalTrafficPolicy", None)
