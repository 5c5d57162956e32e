"""Which node may read what: the references from pods on nodes to the objects that they use.

As the graph of kube-apiserver's node authorizer (plugin/pkg/auth/authorizer/node/graph.go): a pod bound to a node
relates its service account, secrets, config maps, volume claims and resource claims to that node; a claim relates its
volume, a volume its secrets. The reflectors feed it, the node authorizer asks `related`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from services.authorization.pod_references import (
    Reference,
    claim_references,
    mirror_pod,
    pod_references,
    volume_secrets,
)

Object = Mapping[str, Any]


class Vertex(StrEnum):
    """Kinds of objects in the graph."""

    CONFIG_MAP = "configmap"
    POD = "pod"
    RESOURCE_CLAIM = "resourceclaim"
    RESOURCE_SLICE = "resourceslice"
    SECRET = "secret"  # noqa: S105 - a kind, not a secret
    SERVICE_ACCOUNT = "serviceAccount"
    VOLUME = "pv"
    VOLUME_ATTACHMENT = "volumeattachment"
    VOLUME_CLAIM = "pvc"


class _Pod(NamedTuple):
    node: str
    uid: str
    claims: tuple[Reference, ...]
    references: tuple[Reference, ...]


class _Volume(NamedTuple):
    claim: Reference
    secrets: tuple[Reference, ...]


class NodeGraph:
    """References by what is referred to, each with the number of pods per node that refer to it."""

    def __init__(self) -> None:
        self._pods: dict[tuple[str, str], _Pod] = {}
        self._nodes_of: dict[Reference, dict[str, int]] = {}
        self._volumes: dict[str, _Volume] = {}
        self._volumes_of_secret: dict[Reference, set[str]] = {}
        self._owners: dict[Reference, str] = {}

    def set_pod(self, pod: Object) -> None:
        """Enter a pod, or what is new about it; a pod without a node relates nothing."""
        metadata, spec = pod["metadata"], pod.get("spec") or {}
        key = (metadata.get("namespace") or "", metadata["name"])
        node, uid = spec.get("nodeName") or "", metadata.get("uid") or ""
        if not node:
            return
        known = self._pods.get(key)
        claims = tuple(claim_references(pod))
        # references of a pod cannot change once it is bound, but for its resource claims
        if known is not None and (known.node, known.uid, known.claims) == (node, uid, claims):
            return
        self.remove_pod(*key)
        own = Reference(Vertex.POD, *key)
        # a mirror pod gives nothing: a node could make it up
        references = (own,) if mirror_pod(pod) else (own, *dict.fromkeys((*pod_references(pod), *claims)))
        self._pods[key] = _Pod(node, uid, claims, references)
        for reference in references:
            nodes = self._nodes_of.setdefault(reference, {})
            nodes[node] = nodes.get(node, 0) + 1

    def remove_pod(self, namespace: str, name: str) -> None:
        """Take a pod out, and what only it related."""
        pod = self._pods.pop((namespace, name), None)
        if pod is None:
            return
        for reference in pod.references:
            nodes = self._nodes_of[reference]
            nodes[pod.node] -= 1
            if not nodes[pod.node]:
                del nodes[pod.node]
            if not nodes:
                del self._nodes_of[reference]

    def set_volume(self, volume: Object) -> None:
        """Enter a persistent volume; one that is not claimed relates nothing."""
        name = volume["metadata"]["name"]
        self.remove_volume(name)
        claim = (volume.get("spec") or {}).get("claimRef")
        if not claim:
            return
        secrets = tuple(volume_secrets(volume))
        reference = Reference(Vertex.VOLUME_CLAIM, claim.get("namespace") or "", claim.get("name") or "")
        self._volumes[name] = _Volume(reference, secrets)
        for secret in secrets:
            self._volumes_of_secret.setdefault(secret, set()).add(name)

    def remove_volume(self, name: str) -> None:
        """Take a persistent volume out."""
        volume = self._volumes.pop(name, None)
        if volume is None:
            return
        for secret in volume.secrets:
            volumes = self._volumes_of_secret[secret]
            volumes.discard(name)
            if not volumes:
                del self._volumes_of_secret[secret]

    def set_owner(self, vertex: Vertex, name: str, node: str) -> None:
        """Enter an object that names its node itself: a volume attachment, a resource slice."""
        if node:
            self._owners[Reference(vertex, "", name)] = node
        else:
            self.remove_owner(vertex, name)

    def remove_owner(self, vertex: Vertex, name: str) -> None:
        """Take such an object out."""
        self._owners.pop(Reference(vertex, "", name), None)

    def related(self, node: str, vertex: Vertex, namespace: str, name: str) -> bool:
        """Tell whether an object is related to a node."""
        if vertex in {Vertex.VOLUME_ATTACHMENT, Vertex.RESOURCE_SLICE}:
            return self._owners.get(Reference(vertex, "", name)) == node
        if vertex is Vertex.VOLUME:
            return self._volume_related(node, name)
        reference = Reference(vertex, namespace, name)
        if node in self._nodes_of.get(reference, ()):
            return True
        return any(self._volume_related(node, volume) for volume in self._volumes_of_secret.get(reference, ()))

    def _volume_related(self, node: str, name: str) -> bool:
        volume = self._volumes.get(name)
        return volume is not None and node in self._nodes_of.get(volume.claim, ())
