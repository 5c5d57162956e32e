"""Requests and clusters for tests of the admission stage: attributes as the gateway sends them, objects in dicts."""

from __future__ import annotations

import copy
from typing import Any

import orjson

from kubehop.pb.admission.v1 import OPERATION_CREATE, OPERATION_DELETE, OPERATION_UPDATE, Operation
from kubehop.pb.admission.v1 import Attributes as AttributesMessage
from kubehop.pb.authentication.v1 import UserInfo
from kubehop.pb.authorization.v1 import Attributes as Action
from services.admission.attributes import Attributes
from services.admission.authorizer import Verdict
from services.admission.plugins.webhooks.calls import Caller
from services.admission.surroundings import Surroundings

Object = dict[str, Any]

KINDS = {
    ("", "pods"): "Pod",
    ("", "configmaps"): "ConfigMap",
    ("", "namespaces"): "Namespace",
    ("", "nodes"): "Node",
    ("", "services"): "Service",
    ("", "persistentvolumes"): "PersistentVolume",
    ("", "persistentvolumeclaims"): "PersistentVolumeClaim",
    ("apps", "deployments"): "Deployment",
    ("networking.k8s.io", "ingresses"): "Ingress",
    ("certificates.k8s.io", "certificatesigningrequests"): "CertificateSigningRequest",
    ("scheduling.k8s.io", "priorityclasses"): "PriorityClass",
    ("authorization.k8s.io", "localsubjectaccessreviews"): "LocalSubjectAccessReview",
    ("rbac.authorization.k8s.io", "roles"): "Role",
    ("", "events"): "Event",
    ("coordination.k8s.io", "leases"): "Lease",
    ("storage.k8s.io", "csinodes"): "CSINode",
    ("resource.k8s.io", "resourceslices"): "ResourceSlice",
}


def message(
    operation: Operation,
    resource: str,
    *,
    group: str = "",
    version: str = "v1",
    subresource: str = "",
    namespace: str = "",
    name: str = "",
    obj: Object | None = None,
    old: Object | None = None,
    options: Object | None = None,
    user: str = "alice",
    groups: tuple[str, ...] = ("system:authenticated",),
    dry_run: bool = False,
    kind: str = "",
) -> AttributesMessage:
    """Attributes on the wire."""
    built = AttributesMessage(
        operation=operation,
        subresource=subresource,
        namespace=namespace,
        name=name,
        object=orjson.dumps(obj) if obj is not None else b"",
        old_object=orjson.dumps(old) if old is not None else b"",
        options=orjson.dumps(options) if options is not None else b"",
        dry_run=dry_run,
    )
    built.resource.group, built.resource.version, built.resource.resource = group, version, resource
    built.kind.group, built.kind.version = group, version
    built.kind.kind = kind or KINDS[group, resource]
    built.user.username = user
    built.user.groups.extend(groups)
    return built


def create(resource: str, obj: Object | None = None, **rest: Any) -> Attributes:
    """A creation; the name is the object's."""
    rest.setdefault("name", (obj or {}).get("metadata", {}).get("name", ""))
    return Attributes(message(OPERATION_CREATE, resource, obj=obj, **rest))


def update(resource: str, obj: Object, old: Object, **rest: Any) -> Attributes:
    """An update; the name is the object's."""
    rest.setdefault("name", obj.get("metadata", {}).get("name", ""))
    return Attributes(message(OPERATION_UPDATE, resource, obj=obj, old=old, **rest))


def delete(resource: str, name: str, **rest: Any) -> Attributes:
    """A deletion."""
    return Attributes(message(OPERATION_DELETE, resource, name=name, **rest))


class DictReplica:
    """A replica over a dict of its own."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Object] = {}


class DictCluster:
    """A cluster in memory; `stored` is what storage has, replicas hold what a test put into them."""

    def __init__(self) -> None:
        self.replicas: dict[tuple[str, str], DictReplica] = {}
        self.stored: dict[tuple[str, str, str, str], Object] = {}
        self.looked_up: list[tuple[str, str, str, str]] = []
        self.revision = 1000

    def replica(self, group: str, resource: str) -> DictReplica:
        return self.replicas.setdefault((group, resource), DictReplica())

    def hold(self, group: str, resource: str, *objects: Object) -> DictCluster:
        """Put objects into storage and replica."""
        for obj in objects:
            meta = obj["metadata"]
            place = (meta.get("namespace", ""), meta["name"])
            self.stored[group, resource, *place] = obj
            self.replica(group, resource).items[place] = obj
        return self

    async def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        self.looked_up.append((group, resource, namespace, name))
        return copy.deepcopy(self.stored.get((group, resource, namespace, name)))

    async def list(self, group: str, resource: str, namespace: str) -> list[Object]:
        return [obj for key, obj in self.stored.items() if key[:3] == (group, resource, namespace)]

    async def create(self, group: str, resource: str, namespace: str, name: str, obj: Object) -> bool:
        if (group, resource, namespace, name) in self.stored:
            return False
        self.stored[group, resource, namespace, name] = obj
        return True

    async def update(self, group: str, resource: str, namespace: str, name: str, obj: Object) -> Object | None:
        found = self.stored.get((group, resource, namespace, name))
        if found is None or found["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
            return None
        self.revision += 1
        new = copy.deepcopy(obj)
        new["metadata"]["resourceVersion"] = str(self.revision)
        self.stored[group, resource, namespace, name] = new
        return copy.deepcopy(new)


def namespace(name: str, phase: str = "Active", **metadata: Any) -> Object:
    """A Namespace as storage has it."""
    return {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name, **metadata}, "status": {"phase": phase}}


class Judge:
    """An authorization stage that allows what it was told to, and remembers what it was asked."""

    def __init__(self, *allowed: str) -> None:
        self.allowed = set(allowed)
        self.asked: list[str] = []

    async def authorize(self, user: UserInfo, action: Action) -> Verdict:
        """Allow `verb resource/subresource name` where that was allowed."""
        subresource = f"/{action.subresource}" if action.subresource else ""
        said = f"{action.verb} {action.resource}{subresource} {action.name}"
        self.asked.append(said)
        return Verdict(said in self.allowed, f"no rule for {user.username}")


def surroundings(cluster: DictCluster, authorizer: Judge | None = None, **configurations: Object) -> Surroundings:
    """What plugins are built from."""
    return Surroundings(cluster, authorizer or Judge(), Caller(cluster), configurations)
