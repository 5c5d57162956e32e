"""Stateful sets: how they are printed, their defaults, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.apps import validation
from kubehop.kinds.core import pod_defaults, pod_warnings
from kubehop.kinds.core.persistentvolumeclaims import default_claim
from kubehop.kinds.defaulting import fill, items, struct
from kubehop.kinds.printing import AGE, NAME, WIDE_CONTAINERS, Column, age, at, containers, count, name
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors, only_changed
from kubehop.machinery import names
from kubehop.machinery.fields import Path
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        f"{count(obj, 'status', 'readyReplicas')}/{count(obj, 'spec', 'replicas')}",
        age(obj, now),
        *containers(at(obj, "spec", "template")),
    ]


PRINTER = Printer(
    columns=(NAME, Column("Ready", description="Number of the pod with ready state"), AGE, *WIDE_CONTAINERS),
    cells=_cells,
)


_ALL_REVISIONS = (
    "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
)
_MUTABLE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


class STRATEGY(Strategy):
    """Stateful sets name their pods, and most of their spec is fixed."""

    counts_generation = True

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Take names that can begin a pod's host name."""
        return names.name_is_dns_label(name, prefix)

    def default(self, obj: Object) -> None:
        """Fill in one replica, rolled out in order, and the claims."""
        spec = struct(obj, "spec")
        fill(spec, podManagementPolicy="OrderedReady", replicas=1, revisionHistoryLimit=10)
        strategy = struct(spec, "updateStrategy")
        fill(strategy, type="RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            fill(struct(strategy, "rollingUpdate"), partition=0)
        fill(struct(spec, "persistentVolumeClaimRetentionPolicy"), whenDeleted="Retain", whenScaled="Retain")
        pod_defaults.template(struct(spec, "template"))
        for claim in items(spec, "volumeClaimTemplates"):
            fill(claim, apiVersion="v1", kind="PersistentVolumeClaim")
            default_claim(claim)

    def check(self, obj: Object) -> Errors:
        """Check the stateful set."""
        return validation.stateful_set(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep all but the fields that roll out."""
        listed = ", ".join(f"'{field}'" for field in _MUTABLE[:-1])
        yield from only_changed(
            new,
            old,
            _MUTABLE,
            f"updates to statefulset spec for fields other than {listed} and '{_MUTABLE[-1]}' are forbidden",
        )

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of the template, of claims, and of revisions that are never forgotten."""
        told = pod_warnings.workload(obj, old, named=False)
        spec = obj.get("spec") or {}
        for index, claim in enumerate(items(spec, "volumeClaimTemplates")):
            path = Path("spec", "volumeClaimTemplates").index(index).child("spec")
            told.extend(pod_warnings.claim(path, claim.get("spec") or {}))
        if (spec.get("revisionHistoryLimit") or 0) < 0:
            told.append(_ALL_REVISIONS)
        return told

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the status."""
        return validation.stateful_set_status(new, old) if subresource == "status" else iter(())
