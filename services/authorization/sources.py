"""What decisions rest on: the replicas of roles, bindings and of the objects that relate to nodes.

`__main__` builds `Sources` from the modes; its reflectors feed the policy and the node graph, its authorizers are the
union's chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kubehop.hop.client import StageClient
from kubehop.pb.storage.v1 import EVENT_TYPE_DELETED, EventType
from kubehop.reflector import Object, Pulse, Reflector, Replica
from services.authorization.attributes import Authorizer
from services.authorization.authorizers.always_allow import AlwaysAllow
from services.authorization.authorizers.always_deny import AlwaysDeny
from services.authorization.authorizers.node import NodeAuthorizer
from services.authorization.authorizers.privileged import PrivilegedGroup
from services.authorization.authorizers.rbac import RBACAuthorizer
from services.authorization.authorizers.union import Union
from services.authorization.node_graph import NodeGraph, Vertex
from services.authorization.policy import RBAC_GROUP, Policy

Change = Callable[[str, str, Object], None]
"""Namespace, name and object that was set; for removals the object's last state."""


class Sources:
    """The authorizers of the configured modes and the replicas that feed them."""

    def __init__(self, storage: StageClient, modes: Sequence[str], pulse: Pulse | None = None) -> None:
        """Reflect from this storage what the modes need; the pulse tells that it is still there."""
        self._storage = storage
        self._pulse = pulse or Pulse(storage)
        self._reflectors: list[Reflector] = []
        self.rbac: RBACAuthorizer | None = None
        """The authorizer of mode RBAC, which knows what a user may hand on; None without that mode."""
        make = {"Node": self._node, "RBAC": self._rbac, "AlwaysAllow": AlwaysAllow, "AlwaysDeny": AlwaysDeny}
        chain: list[Authorizer] = [make[mode]() for mode in modes]
        self.union = Union([PrivilegedGroup(), *chain])
        self.replica = Replica(self._reflectors)

    def _rbac(self) -> Authorizer:
        policy = Policy()

        def drop_role(namespace: str, name: str, _: Object) -> None:
            policy.remove_role(namespace, name)

        def drop_binding(namespace: str, name: str, _: Object) -> None:
            policy.remove_binding(namespace, name)

        def put_role(namespace: str, _: str, role: Object) -> None:
            policy.set_role(namespace, role)

        def put_binding(namespace: str, _: str, binding: Object) -> None:
            policy.set_binding(namespace, binding)

        for resource in ("clusterroles", "roles"):
            self._reflect(RBAC_GROUP, resource, put_role, drop_role)
        for resource in ("clusterrolebindings", "rolebindings"):
            self._reflect(RBAC_GROUP, resource, put_binding, drop_binding)
        self.rbac = RBACAuthorizer(policy)
        return self.rbac

    def _node(self) -> Authorizer:
        graph = NodeGraph()

        def put_pod(_: str, __: str, pod: Object) -> None:
            graph.set_pod(pod)

        def drop_pod(namespace: str, name: str, _: Object) -> None:
            graph.remove_pod(namespace, name)

        def put_volume(_: str, __: str, volume: Object) -> None:
            graph.set_volume(volume)

        def drop_volume(_: str, name: str, __: Object) -> None:
            graph.remove_volume(name)

        self._reflect("", "pods", put_pod, drop_pod)
        self._reflect("", "persistentvolumes", put_volume, drop_volume)
        self._owned(graph, "storage.k8s.io", "volumeattachments", Vertex.VOLUME_ATTACHMENT)
        self._owned(graph, "resource.k8s.io", "resourceslices", Vertex.RESOURCE_SLICE)
        return NodeAuthorizer(graph)

    def _owned(self, graph: NodeGraph, group: str, resource: str, vertex: Vertex) -> None:
        def put(_: str, name: str, obj: Object) -> None:
            graph.set_owner(vertex, name, (obj.get("spec") or {}).get("nodeName") or "")

        def drop(_: str, name: str, __: Object) -> None:
            graph.remove_owner(vertex, name)

        self._reflect(group, resource, put, drop)

    def _reflect(self, group: str, resource: str, put: Change, drop: Change) -> None:
        def changed(kind: EventType, obj: Object) -> None:
            metadata = obj["metadata"]
            apply = drop if kind == EVENT_TYPE_DELETED else put
            apply(metadata.get("namespace") or "", metadata["name"], obj)

        self._reflectors.append(
            Reflector(self._storage, group, resource, on_change=changed, keep=_slim, pulse=self._pulse)
        )


def _slim(obj: Object) -> Object:
    """Leave of an object what identifies it and its state: policy and graph have taken the rest."""
    metadata = obj["metadata"]
    return {"metadata": {key: metadata[key] for key in ("namespace", "name", "resourceVersion") if key in metadata}}
