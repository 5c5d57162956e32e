"""Pods: how they are printed, their defaults, their first status, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import pod_defaults, pod_warnings
from kubehop.kinds.core.pod_validation import specs, statuses, updates
from kubehop.kinds.core.qos import qos_class
from kubehop.kinds.defaulting import fill, struct
from kubehop.kinds.printing import AGE, NAME, NONE, Column, age, at, documented, name, seconds, since, true_condition
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import metadata
from kubehop.machinery.table import Printer

Object = dict[str, Any]

# the node controller's mark of a pod whose node does not answer
_NODE_LOST = "NodeLost"


def _restartable(container: Object | None) -> bool:
    """Tell whether an init container is a sidecar."""
    return container is not None and container.get("restartPolicy") == "Always"


class _Restarts:
    """Counts restarts, and remembers when the last one was."""

    def __init__(self) -> None:
        self.total = 0
        self.last = ""

    def add(self, status: Object) -> None:
        self.total += status.get("restartCount") or 0
        finished = at(status, "lastState", "terminated", "finishedAt")
        if finished and (not self.last or seconds(finished) > seconds(self.last)):
            self.last = finished

    def text(self, now: float) -> str:
        return f"{self.total} ({since(self.last, now)} ago)" if self.total and self.last else str(self.total)


def _terminated(state: Object, prefix: str = "") -> str:
    """Return the reason of a terminated container."""
    if state.get("reason"):
        return f"{prefix}{state['reason']}"
    if state.get("signal"):
        return f"{prefix}Signal:{state['signal']}"
    return f"{prefix}ExitCode:{state.get('exitCode') or 0}"


class _Summary:
    """Reads a pod's readiness, reason and restarts from its container statuses (printPod in kube-apiserver)."""

    def __init__(self, pod: Object) -> None:
        spec, status = pod.get("spec") or {}, pod.get("status") or {}
        self._init = {container.get("name"): container for container in spec.get("initContainers") or ()}
        self.total = len(spec.get("containers") or ()) + sum(_restartable(one) for one in self._init.values())
        self.ready = 0
        self.restarts = _Restarts()
        self._sidecar_restarts = _Restarts()
        phase = status.get("phase") or ""
        self.reason = status.get("reason") or phase
        if any(
            one.get("type") == "PodScheduled" and one.get("reason") == "SchedulingGated"
            for one in status.get("conditions") or ()
        ):
            self.reason = "SchedulingGated"
        initializing = self._read_init(status, len(spec.get("initContainers") or ()))
        if not initializing or true_condition(pod, "Initialized"):
            self._read_containers(status)
        if at(pod, "metadata", "deletionTimestamp"):
            if status.get("reason") == _NODE_LOST:
                self.reason = "Unknown"
            elif phase not in ("Succeeded", "Failed"):
                self.reason = "Terminating"

    def _read_init(self, status: Object, expected: int) -> bool:
        for index, container in enumerate(status.get("initContainerStatuses") or ()):
            self.restarts.add(container)
            sidecar = _restartable(self._init.get(container.get("name")))
            if sidecar:
                self._sidecar_restarts.add(container)
            state = container.get("state") or {}
            terminated, waiting = state.get("terminated"), at(state, "waiting", "reason")
            if terminated is not None and not terminated.get("exitCode"):
                continue
            if sidecar and container.get("started"):
                self.ready += bool(container.get("ready"))
                continue
            if terminated is not None:
                self.reason = _terminated(terminated, "Init:")
            elif waiting and waiting != "PodInitializing":
                self.reason = f"Init:{waiting}"
            else:
                self.reason = f"Init:{index}/{expected}"
            return True
        return False

    def _read_containers(self, status: Object) -> None:
        self.restarts = self._sidecar_restarts
        running = False
        for container in reversed(status.get("containerStatuses") or ()):
            self.restarts.add(container)
            state = container.get("state") or {}
            waiting = at(state, "waiting", "reason")
            if waiting:
                self.reason = waiting
            elif state.get("terminated") is not None:
                self.reason = _terminated(state["terminated"])
            elif container.get("ready") and state.get("running") is not None:
                running = True
                self.ready += 1
        if self.reason == "Completed" and running:
            ready = any(
                one.get("type") == "Ready" and one.get("status") == "True" for one in status.get("conditions") or ()
            )
            self.reason = "Running" if ready else "NotReady"


def _readiness_gates(pod: Object) -> str:
    gates = at(pod, "spec", "readinessGates")
    if not gates:
        return NONE
    return f"{sum(true_condition(pod, gate.get('conditionType', '')) for gate in gates)}/{len(gates)}"


def _ip(pod: Object) -> str:
    addresses = at(pod, "status", "podIPs")
    return (addresses[0].get("ip") if addresses else at(pod, "status", "podIP")) or NONE


def _cells(pod: Object, now: float) -> list[Any]:
    summary = _Summary(pod)
    return [
        name(pod),
        f"{summary.ready}/{summary.total}",
        summary.reason,
        summary.restarts.text(now),
        age(pod, now),
        _ip(pod),
        at(pod, "spec", "nodeName") or NONE,
        at(pod, "status", "nominatedNodeName") or NONE,
        _readiness_gates(pod),
    ]


def _conditions(pod: Object) -> list[Object]:
    phase = at(pod, "status", "phase")
    messages = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}
    if phase not in messages:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": messages[phase]}]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Ready", description="The aggregate readiness state of this pod for accepting traffic."),
        Column("Status", description="The aggregate status of the containers in this pod."),
        Column(
            "Restarts",
            description="The number of times the containers in this pod have been restarted and when the last container"
            " in this pod has restarted.",
        ),
        AGE,
        documented("IP", "core.v1.PodStatus.podIP", priority=1),
        documented("Node", "core.v1.PodSpec.nodeName", priority=1),
        documented("Nominated Node", "core.v1.PodStatus.nominatedNodeName", priority=1),
        documented("Readiness Gates", "core.v1.PodSpec.readinessGates", priority=1),
    ),
    cells=_cells,
    conditions=_conditions,
)


class STRATEGY(Strategy):
    """Pods count the generation of their spec, and go after a grace period."""

    counts_generation = True
    update_steps = (Step.METADATA_UPDATE, Step.METADATA, Step.CHECK, Step.CHANGES)
    status_resets = (("spec",), ("metadata", "deletionTimestamp"), ("metadata", "ownerReferences"))

    def default(self, obj: Object) -> None:
        """Fill in the spec; what is limited is requested too."""
        spec = struct(obj, "spec")
        pod_defaults.resource_requests(spec)
        fill(spec, enableServiceLinks=True)
        pod_defaults.pod_spec(spec)
        pod_defaults.host_ports(spec)
        _same_addresses(struct(obj, "status") if obj.get("status") else None)

    def on_create(self, obj: Object) -> None:
        """Start the status: pending, with the class of service that the resources make it."""
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj)}
        if at(obj, "spec", "schedulingGates"):
            obj["status"]["conditions"] = [
                {
                    "type": "PodScheduled",
                    "status": "False",
                    "reason": "SchedulingGated",
                    "message": "Scheduling is blocked due to non-empty scheduling gates",
                }
            ]

    def check(self, obj: Object) -> Errors:
        """Check the pod."""
        return specs.pod(obj)

    def check_create(self, obj: Object) -> Errors:
        """Check what new pods may not have."""
        return specs.new_pod(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Let images, deadline and further tolerations change, and nothing else."""
        return updates.update(new, old)

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of new pods; changes are made by controllers, who do not read."""
        return list(pod_warnings.pod(obj)) if old is None else []

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check a new status, containers to debug, changed resources."""
        checks = {"status": statuses.update, "ephemeralcontainers": updates.debugging, "resize": updates.resize}
        return checks[subresource](new, old) if subresource in checks else iter(())

    def on_subresource_update(self, new: Object, old: Object, subresource: str) -> None:
        """Let ephemeralcontainers and resize change what they are for, and nothing else."""
        kept = {"ephemeralcontainers": ("ephemeralContainers",), "resize": ("containers", "initContainers")}
        spec, wanted = dict(old.get("spec") or {}), new.get("spec") or {}
        for field in kept.get(subresource, ()):
            if subresource == "resize":
                spec[field] = _resized(spec.get(field) or [], wanted.get(field) or [])
            elif field in wanted:
                spec[field] = wanted[field]
        new["spec"] = {key: value for key, value in spec.items() if value != []}
        meta: Object = {**(old.get("metadata") or {}), **_version(new)}
        new["metadata"] = meta
        if "status" in old:
            new["status"] = old["status"]
        if new["spec"] != old.get("spec"):
            metadata.bump_generation(new, old)

    def grace_period(self, obj: Object, requested: int | None) -> int | None:
        """As long as the pod asks for, at once where it never ran or has ended (registry/core/pod/strategy.go)."""
        period = at(obj, "spec", "terminationGracePeriodSeconds") if requested is None else requested
        if not at(obj, "spec", "nodeName") or at(obj, "status", "phase") in ("Succeeded", "Failed"):
            return 0
        if period is None:
            period = 30
        return 1 if period < 0 else int(period)


def _same_addresses(status: Object | None) -> None:
    """Let podIP be the first of podIPs (pkg/apis/core/v1/conversion.go). Changes the status."""
    if not status:
        return
    one, several = status.get("podIP"), status.get("podIPs") or []
    if one and (not several or several[0].get("ip") != one):
        status["podIPs"] = [{"ip": one}]
    elif several and not one:
        status["podIP"] = several[0].get("ip") or ""


def _version(obj: Object) -> Object:
    """Return what metadata a write through a subresource brings with it."""
    meta = obj.get("metadata") or {}
    return {key: meta[key] for key in ("resourceVersion", "managedFields", "generation") if key in meta}


def _resized(old: list[Object], new: list[Object]) -> list[Object]:
    """Return the old containers with the resources of the new ones."""
    wanted = {container.get("name"): container for container in new}
    result: list[Object] = []
    for container in old:
        found = wanted.get(container.get("name")) or container
        changed: Object = {key: found[key] for key in ("resources", "resizePolicy") if key in found}
        result.append({**container, **changed})
    return result
