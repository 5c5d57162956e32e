"""Services: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, NONE, age, at, documented, load_balancer, name, string_map
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
