"""Replica sets: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import pod_defaults
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
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors, immutable, pod_template_selected, required_selector
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

    def default(self, obj: Object) -> None:
        """Fill in one replica and the template."""
        spec = struct(obj, "spec")
        fill(spec, replicas=1)
        pod_defaults.template(struct(spec, "template"))

    def check(self, obj: Object) -> Errors:
        """Require a selector, and a template that it selects."""
        yield from required_selector(obj, "deployment")
        yield from pod_template_selected(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the selector."""
        yield from immutable(new, old, "spec", "selector")
