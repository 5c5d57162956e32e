"""Replication controllers: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.apps.validation import replica_status
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
    string_map,
)
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.kinds.workload_rules import SPEC, not_negative, template
from kubehop.machinery import fields
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
    update_steps = (Step.METADATA, Step.CHECK, Step.METADATA_UPDATE, Step.CHECK, Step.CHANGES)

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

    def check(self, obj: Object) -> Errors:
        """Check the controller (ValidateReplicationControllerSpec)."""
        spec = obj.get("spec") or {}
        selector, found = spec.get("selector"), spec.get("template")
        yield from not_negative(SPEC, spec, "minReadySeconds")
        if not selector:
            yield fields.required(SPEC.child("selector"))
        yield from not_negative(SPEC, spec, "replicas")
        if found is None:
            yield fields.required(SPEC.child("template"))
            return
        labels = at(found, "metadata", "labels")
        if any((labels or {}).get(key) != value for key, value in (selector or {}).items()):
            path = SPEC.child("template", "metadata", "labels")
            yield fields.invalid(path, labels or None, "`selector` does not match template `labels`")
        yield from template(SPEC.child("template"), found, "ReplicationController")

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of the name and of the template."""
        return pod_warnings.workload(obj, old)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the status."""
        _ = old
        return replica_status(new) if subresource == "status" else iter(())
