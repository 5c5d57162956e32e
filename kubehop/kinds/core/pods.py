"""Pods: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, NONE, Column, age, at, documented, name, seconds, since, true_condition
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
