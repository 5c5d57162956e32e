"""The scale subresource: a workload seen as a Scale of autoscaling/v1, and a Scale written back.

The gateway's verbs on `scale` call `read` and `write` for deployments, replica sets, stateful sets and replication
controllers (pkg/registry/apps/*/storage/storage.go, pkg/registry/core/replicationcontroller/storage/storage.go).
"""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import at, count, selector_text
from kubehop.machinery import fields
from kubehop.machinery.fields import FieldError

Object = dict[str, Any]

API_VERSION = "autoscaling/v1"

_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def read(obj: Object) -> Object:
    """Return the Scale of a workload."""
    metadata = obj.get("metadata") or {}
    status: Object = {"replicas": count(obj, "status", "replicas")}
    selector = at(obj, "spec", "selector")
    if obj.get("kind") == "ReplicationController":
        selector = {"matchLabels": selector or {}}
    text = selector_text(selector, empty="")
    if text:
        status["selector"] = text
    replicas = count(obj, "spec", "replicas")
    return {
        "kind": "Scale",
        "apiVersion": API_VERSION,
        "metadata": {key: metadata[key] for key in _META if key in metadata},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def write(scale: Object, obj: Object) -> Object:
    """Return the workload with the replicas of a Scale, and with its resourceVersion as the precondition."""
    metadata = dict(obj.get("metadata") or {})
    version = (scale.get("metadata") or {}).get("resourceVersion")
    if version:
        metadata["resourceVersion"] = version
    spec = {**(obj.get("spec") or {}), "replicas": count(scale, "spec", "replicas")}
    return {**obj, "metadata": metadata, "spec": spec}


def validate(scale: Object) -> list[FieldError]:
    """Return what is wrong with a Scale (ValidateScale)."""
    replicas = count(scale, "spec", "replicas")
    if replicas < 0:
        return [fields.invalid(fields.Path("spec", "replicas"), replicas, "must be greater than or equal to 0")]
    return []
