"""Replication controllers: how they are printed, and their defaults."""

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
    string_map,
)
from kubehop.kinds.strategy import Strategy
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
        string_map(at(obj, "spec", "selector")),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Desired", "core.v1.ReplicationControllerSpec.replicas", type="integer"),
        documented("Current", "core.v1.ReplicationControllerStatus.replicas", type="integer"),
        documented("Ready", "core.v1.ReplicationControllerStatus.readyReplicas", type="integer"),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "core.v1.ReplicationControllerSpec.selector", priority=1),
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Replication controllers take selector and labels from their template."""

    counts_generation = True

    def default(self, obj: Object) -> None:
        """Fill in one replica, and what the template's labels say."""
        spec = struct(obj, "spec")
        labels = at(spec, "template", "metadata", "labels")
        if labels:
            if not spec.get("selector"):
                spec["selector"] = dict(labels)
            meta = struct(obj, "metadata")
            if not meta.get("labels"):
                meta["labels"] = dict(labels)
        fill(spec, replicas=1)
        if spec.get("template") is not None:
            pod_defaults.template(spec["template"])
