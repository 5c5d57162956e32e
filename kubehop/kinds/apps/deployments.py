"""Deployments: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.apps import validation
from kubehop.kinds.core import pod_defaults, pod_warnings
from kubehop.kinds.defaulting import fill, struct
from kubehop.kinds.printing import (
    AGE,
    NAME,
    WIDE_CONTAINERS,
    Column,
    age,
    at,
    containers,
    count,
    documented,
    name,
    selector_text,
)
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors, immutable
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        f"{count(obj, 'status', 'readyReplicas')}/{count(obj, 'spec', 'replicas')}",
        count(obj, "status", "updatedReplicas"),
        count(obj, "status", "availableReplicas"),
        age(obj, now),
        *containers(at(obj, "spec", "template")),
        selector_text(at(obj, "spec", "selector"), empty=""),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Ready", description="Number of the pod with ready state"),
        documented("Up-to-date", "apps.v1.DeploymentStatus.updatedReplicas"),
        documented("Available", "apps.v1.DeploymentStatus.availableReplicas"),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "apps.v1.DeploymentSpec.selector", priority=1),
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Deployments keep their selector for life."""

    counts_generation = True
    status_resets = (("spec",), ("metadata", "labels"))

    def default(self, obj: Object) -> None:
        """Fill in one replica, rolled out a quarter at a time."""
        spec = struct(obj, "spec")
        fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
        strategy = struct(spec, "strategy")
        fill(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            fill(struct(strategy, "rollingUpdate"), maxUnavailable="25%", maxSurge="25%")
        pod_defaults.template(struct(spec, "template"))

    def check(self, obj: Object) -> Errors:
        """Check the deployment."""
        return validation.deployment(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the selector."""
        yield from immutable(new, old, "spec", "selector")

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of the name and of the template."""
        return pod_warnings.workload(obj, old)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the status."""
        return validation.deployment_status(new, old) if subresource == "status" else iter(())
