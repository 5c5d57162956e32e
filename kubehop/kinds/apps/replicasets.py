"""Replica sets: how they are printed, their defaults, what may change."""

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
)
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors, immutable
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        count(obj, "spec", "replicas"),
        count(obj, "status", "replicas"),
        count(obj, "status", "readyReplicas"),
        age(obj, now),
        *containers(at(obj, "spec", "template")),
        selector_text(at(obj, "spec", "selector")),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Desired", "apps.v1.ReplicaSetSpec.replicas", type="integer"),
        documented("Current", "apps.v1.ReplicaSetStatus.replicas", type="integer"),
        documented("Ready", "apps.v1.ReplicaSetStatus.readyReplicas", type="integer"),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "apps.v1.ReplicaSetSpec.selector", priority=1),
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Replica sets keep their selector for life."""

    counts_generation = True
    update_steps = (Step.METADATA, Step.CHECK, Step.METADATA_UPDATE, Step.CHECK, Step.CHANGES)

    def default(self, obj: Object) -> None:
        """Fill in one replica and the template."""
        spec = struct(obj, "spec")
        fill(spec, replicas=1)
        pod_defaults.template(struct(spec, "template"))

    def check(self, obj: Object) -> Errors:
        """Check the replica set."""
        return validation.replica_set(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the selector."""
        yield from immutable(new, old, "spec", "selector")

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of the name and of the template."""
        return pod_warnings.workload(obj, old)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the status."""
        _ = old
        return validation.replica_status(new) if subresource == "status" else iter(())
