"""Nodes: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import node_rules
from kubehop.kinds.defaulting import struct
from kubehop.kinds.printing import AGE, NAME, NONE, Column, age, at, documented, name
from kubehop.kinds.strategy import NEW_THEN_CHANGES, NOBODY, Strategy, Writer
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import UNKNOWN, Printer

Object = dict[str, Any]

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE = "kubernetes.io/role"


def _status(obj: Object) -> str:
    parts = ["Unknown"]
    for condition in at(obj, "status", "conditions") or ():
        if condition.get("type") == "Ready":
            parts = ["Ready" if condition.get("status") == "True" else "NotReady"]
    if at(obj, "spec", "unschedulable"):
        parts.append("SchedulingDisabled")
    return ",".join(parts)


def _roles(obj: Object) -> str:
    roles = set()
    for key, value in (at(obj, "metadata", "labels") or {}).items():
        if key.startswith(_ROLE_PREFIX):
            roles.add(key.removeprefix(_ROLE_PREFIX))
        elif key == _ROLE:
            roles.add(value)
    return ",".join(sorted(roles - {""})) or NONE


def _address(obj: Object, kind: str) -> str:
    for address in at(obj, "status", "addresses") or ():
        if address.get("type") == kind:
            return str(address.get("address") or "")
    return NONE


def _cells(obj: Object, now: float) -> list[Any]:
    info = at(obj, "status", "nodeInfo") or {}
    return [
        name(obj),
        _status(obj),
        _roles(obj),
        age(obj, now),
        info.get("kubeletVersion") or "",
        _address(obj, "InternalIP"),
        _address(obj, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Status", description="The status of the node"),
        Column("Roles", description="The roles of the node"),
        AGE,
        documented("Version", "core.v1.NodeSystemInfo.kubeletVersion"),
        documented("Internal-IP", "core.v1.NodeStatus.addresses", priority=1),
        documented("External-IP", "core.v1.NodeStatus.addresses", priority=1),
        documented("OS-Image", "core.v1.NodeSystemInfo.osImage", priority=1),
        documented("Kernel-Version", "core.v1.NodeSystemInfo.kernelVersion", priority=1),
        documented("Container-Runtime", "core.v1.NodeSystemInfo.containerRuntimeVersion", priority=1),
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Nodes can allocate what they have."""

    update_steps = NEW_THEN_CHANGES

    def default(self, obj: Object) -> None:
        """Let all of the capacity be allocated, where nothing else is said."""
        status = struct(obj, "status")
        if status.get("capacity") and not status.get("allocatable"):
            status["allocatable"] = dict(status["capacity"])
        spec = struct(obj, "spec")
        one, several = spec.get("podCIDR"), spec.get("podCIDRs") or []
        if one and (not several or several[0] != one):
            spec["podCIDRs"] = [one]
        elif several and not one:
            spec["podCIDR"] = several[0]

    def prepare_for_create(self, obj: Object, writer: Writer = NOBODY) -> None:
        """Keep the status: nodes register themselves whole."""
        obj["metadata"].pop("generation", None)
        self.on_create_by(obj, writer)

    def check(self, obj: Object) -> Errors:
        """Check the node."""
        yield from node_rules.node(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep what identifies the node."""
        yield from node_rules.changes(new, old)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check a status as any other change."""
        if subresource == "status":
            yield from node_rules.changes(new, old)
