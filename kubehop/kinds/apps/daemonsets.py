"""Daemon sets: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.apps import validation
from kubehop.kinds.core import pod_defaults, pod_warnings
from kubehop.kinds.defaulting import fill, struct
from kubehop.kinds.printing import (
    AGE,
    NAME,
    WIDE_CONTAINERS,
    age,
    at,
    containers,
    count,
    documented,
    name,
    selector_text,
    string_map,
)
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors, immutable
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    template = at(obj, "spec", "template")
    return [
        name(obj),
        count(obj, "status", "desiredNumberScheduled"),
        count(obj, "status", "currentNumberScheduled"),
        count(obj, "status", "numberReady"),
        count(obj, "status", "updatedNumberScheduled"),
        count(obj, "status", "numberAvailable"),
        string_map(at(template, "spec", "nodeSelector")),
        age(obj, now),
        *containers(template),
        selector_text(at(obj, "spec", "selector")),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Desired", "apps.v1.DaemonSetStatus.desiredNumberScheduled", type="integer"),
        documented("Current", "apps.v1.DaemonSetStatus.currentNumberScheduled", type="integer"),
        documented("Ready", "apps.v1.DaemonSetStatus.numberReady", type="integer"),
        documented("Up-to-date", "apps.v1.DaemonSetStatus.updatedNumberScheduled", type="integer"),
        documented("Available", "apps.v1.DaemonSetStatus.numberAvailable", type="integer"),
        documented("Node Selector", "core.v1.PodSpec.nodeSelector"),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "apps.v1.DaemonSetSpec.selector", priority=1),
    ),
    cells=_cells,
)


_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


class STRATEGY(Strategy):
    """Daemon sets keep their selector for life and count the generations of their template in an annotation."""

    counts_generation = True
    update_steps = (Step.METADATA, Step.CHECK, Step.METADATA_UPDATE, Step.CHECK, Step.CHANGES)

    def default(self, obj: Object) -> None:
        """Fill in a rolling update, one node at a time."""
        spec = struct(obj, "spec")
        fill(spec, revisionHistoryLimit=10)
        strategy = struct(spec, "updateStrategy")
        fill(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            fill(struct(strategy, "rollingUpdate"), maxUnavailable=1, maxSurge=0)
        pod_defaults.template(struct(spec, "template"))

    def on_create(self, obj: Object) -> None:
        """Start counting the template's generations."""
        struct(obj, "metadata", "annotations")[_TEMPLATE_GENERATION] = "1"

    def on_update(self, new: Object, old: Object) -> None:
        """Count a change of the template; nobody else may."""
        counted = (at(old, "metadata", "annotations") or {}).get(_TEMPLATE_GENERATION) or "0"
        if at(new, "spec", "template") != at(old, "spec", "template"):
            counted = str(int(counted) + 1)
        struct(new, "metadata", "annotations")[_TEMPLATE_GENERATION] = counted

    def check(self, obj: Object) -> Errors:
        """Check the daemon set."""
        return validation.daemon_set(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the selector."""
        yield from immutable(new, old, "spec", "selector")

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of the template."""
        return pod_warnings.workload(obj, old, named=False)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the status."""
        return validation.daemon_set_status(new, old) if subresource == "status" else iter(())
