"""What kinds fill in and drop when they are created, against kube-apiserver's recorded answers.

Each create of the conformance scenarios `kind-*` is decoded, defaulted, prepared, validated and completed here as the
gateway does it, without a server. What admission plugins and the server's own metadata add is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubehop.kinds import catalogue, convert, schemas
from kubehop.kinds.resource import Resource
from kubehop.kinds.strategy import Writer, strategy_for
from kubehop.machinery import decoding, metadata

CONFORMANCE = Path(__file__).parents[2] / "conformance"
ADMIN = Writer("admin", groups=("system:masters", "system:authenticated"))

# set by admission plugins: Priority, DefaultTolerationSeconds, ServiceAccount, TaintNodesByCondition,
# StorageObjectInUseProtection
ADMITTED_POD = ("priority", "preemptionPolicy", "tolerations", "serviceAccount", "serviceAccountName")
TOKEN_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
SERVER_METADATA = ("managedFields", "creationTimestamp", "uid", "resourceVersion", "name")


def _row(path: str) -> Resource | None:
    parts = path.strip("/").split("/")
    group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    row = catalogue.lookup(group, version, rest[0]) if len(rest) == 1 else None
    return row if row is not None and row.stored else None


def _creates() -> Iterator[Any]:
    for path in sorted(CONFORMANCE.glob("scenarios/kind-*.yaml")):
        golden = json.loads((CONFORMANCE / "golden" / f"{path.stem}.json").read_text())
        for step in yaml.safe_load(path.read_text())["steps"]:
            method, _, url = step.get("request", "").partition(" ")
            answer = golden[step["id"]]
            if method != "POST" or answer["status"] != 201 or "only" in step or not isinstance(step["body"], dict):
                continue
            row = _row(url.partition("?")[0])
            if row is not None:
                yield pytest.param(row, step["body"], answer["body"], id=f"{path.stem}-{step['id']}")


def _named(value: Any) -> Any:
    return json.loads(json.dumps(value).replace("${ns}", "space").replace("${tag}", "tag"))


def _created(row: Resource, body: Any) -> tuple[Any, list[Any]]:
    schema = schemas.schema_for(row.group, row.version, row.kind)
    obj = decoding.decode_value(schema, body).value
    obj["apiVersion"], obj["kind"] = row.api_version, row.kind
    meta = obj.setdefault("metadata", {})
    if row.namespaced:
        meta["namespace"] = "space"
    metadata.set_system_fields(obj)
    strategy_for(row).default(obj)
    stored = convert.to_storage(obj, row)
    keeping = catalogue.storage_resource(row.group, row.name)
    assert keeping is not None
    strategy = strategy_for(keeping)
    strategy.default(stored)
    strategy.prepare_for_create(stored, ADMIN)
    if row.kind == "Pod":  # as admission does, or tokens are refused
        stored["spec"].setdefault("serviceAccountName", "default")
    errors = strategy.validate(stored)
    served = convert.to_served(stored, row)
    decoding.complete(schema, served)
    return served, errors


def _without_admission(obj: Any) -> Any:
    meta, spec = obj["metadata"], obj.get("spec") or {}
    for key in SERVER_METADATA:
        meta.pop(key, None)
    meta["finalizers"] = [name for name in meta.get("finalizers") or () if not name.endswith("-protection")]
    if obj["kind"] == "Pod":
        for key in ADMITTED_POD:
            spec.pop(key, None)
        for container in [*spec.get("containers", ()), *spec.get("initContainers", ())]:
            mounts = [mount for mount in container.get("volumeMounts") or () if mount["mountPath"] != TOKEN_MOUNT]
            container["volumeMounts"] = mounts
        spec["volumes"] = [one for one in spec.get("volumes") or () if "projected" not in one or one.get("name")]
    if obj["kind"] == "Node":
        spec.pop("taints", None)
    if obj["kind"] == "CertificateSigningRequest":
        spec.pop("uid", None)
    return obj


def _equal(ours: Any, recorded: Any) -> bool:
    if isinstance(recorded, str) and recorded.startswith("<") and recorded.endswith(">"):
        return True  # a value that differs from run to run
    if isinstance(ours, dict) and isinstance(recorded, dict):
        return ours.keys() == recorded.keys() and all(_equal(ours[key], recorded[key]) for key in ours)
    if isinstance(ours, list) and isinstance(recorded, list):
        return len(ours) == len(recorded) and all(map(_equal, ours, recorded))
    return bool(ours == recorded)


@pytest.mark.parametrize(("row", "body", "recorded"), list(_creates()))
def test_a_created_object_is_as_recorded(row, body, recorded):
    """Defaults, dropped fields, first status and generation are those of kube-apiserver, and nothing is refused."""
    created, errors = _created(row, _named(body))
    assert errors == []
    ours, theirs = _without_admission(created), _without_admission(_named(recorded))
    assert _equal(ours, theirs), f"{json.dumps(ours, sort_keys=True)}\n{json.dumps(theirs, sort_keys=True)}"
