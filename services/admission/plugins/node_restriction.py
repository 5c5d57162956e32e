"""NodeRestriction: a kubelet changes its own node, its own pods and what belongs to them, and nothing else.

Source of the behaviour: plugin/pkg/admission/noderestriction/admission.go and pkg/auth/nodeidentifier.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final

from kubehop.machinery import objects, status
from kubehop.machinery.objects import Object, labels, metadata, nested
from kubehop.machinery.status import StatusError
from services.admission.attributes import CREATE, DELETE, UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugin import Change, Scoped, forbidden
from services.admission.plugins.node_labels import forbidden_labels
from services.admission.pods import MIRROR_ANNOTATION, containers, secret_names

_NODES_GROUP: Final = "system:nodes"
_USER_PREFIX: Final = "system:node:"
_LEASES: Final = "kube-node-lease"
_CLAIMS: Final = ("", "persistentvolumeclaims")


class NodeRestriction(Scoped):
    """See the module."""

    name: Final = "NodeRestriction"
    operations = frozenset({CREATE, UPDATE, DELETE})

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._nodes = Lookup.of(cluster, "", "nodes")
        self._judges: Mapping[tuple[str, str], Callable[[str, Attributes], Awaitable[None]]] = {
            ("", "pods"): self._pod,
            ("", "nodes"): self._node,
            _CLAIMS: self._claim,
            ("", "serviceaccounts"): self._token,
            ("coordination.k8s.io", "leases"): self._lease,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("resource.k8s.io", "resourceslices"): self._resource_slice,
        }

    def concerns(self, group: str, resource: str, subresource: str) -> bool:  # noqa: ARG002 - the Protocol's form
        """Whatever a kubelet may write."""
        return (group, resource) in self._judges

    async def admit(self, attributes: Attributes) -> Change | None:
        """Refuse what is not the node's; the object stays as it is."""
        user = attributes.user_name
        if not user.startswith(_USER_PREFIX) or _NODES_GROUP not in attributes.user_groups:
            return None
        node = user.removeprefix(_USER_PREFIX)
        if not node:
            raise forbidden(attributes, f'could not determine node from user "{user}"')
        await self._judges[attributes.group, attributes.resource](node, attributes)
        return None

    async def _pod(self, node: str, attributes: Attributes) -> None:
        subresource = attributes.subresource
        if subresource == "":
            await self._pod_itself(node, attributes)
        elif subresource == "status":
            self._pod_status(node, attributes)
        elif subresource == "eviction":
            await self._eviction(node, attributes)
        else:
            allowed = "only 'status' and 'eviction' are allowed"
            raise forbidden(attributes, f'unexpected pod subresource "{subresource}", {allowed}')

    async def _pod_itself(self, node: str, attributes: Attributes) -> None:
        if attributes.operation == CREATE:
            await self._mirror_pod(node, attributes)
        elif attributes.operation == DELETE:
            pod = await self._existing_pod(attributes, attributes.name)
            if nested(pod, "spec", "nodeName") != node:
                raise forbidden(attributes, f'node "{node}" can only delete pods with spec.nodeName set to itself')
        else:
            said = f'unexpected operation "UPDATE", node "{node}" can only create and delete mirror pods'
            raise forbidden(attributes, said)

    async def _mirror_pod(self, node: str, attributes: Attributes) -> None:
        pod = attributes.object
        if MIRROR_ANNOTATION not in objects.annotations(pod):
            said = f'pod does not have "{MIRROR_ANNOTATION}" annotation, node "{node}" can only create mirror pods'
            raise forbidden(attributes, said)
        if nested(pod, "spec", "nodeName") != node:
            raise forbidden(attributes, f'node "{node}" can only create pods with spec.nodeName set to itself')
        for problem in _problems_of_owner(node, metadata(pod).get("ownerReferences") or []):
            raise forbidden(attributes, f'node "{node}" {problem}')
        owner = metadata(pod)["ownerReferences"][0]
        found = await self._nodes.get(node)
        if found is None:
            raise status.not_found("", "nodes", node)
        uid = metadata(found).get("uid")
        if owner.get("uid") != uid:
            raise forbidden(attributes, f"node {node} UID mismatch: expected {owner.get('uid', '')} got {uid}")
        for thing in _referenced(pod.get("spec") or {}):
            raise forbidden(attributes, f'node "{node}" can not create pods that reference {thing}')

    def _pod_status(self, node: str, attributes: Attributes) -> None:
        if attributes.operation != UPDATE:
            raise _unexpected(attributes)
        new, old = attributes.object, attributes.old_object
        if nested(old, "spec", "nodeName") != node:
            said = "can only update pod status for pods with spec.nodeName set to itself"
            raise forbidden(attributes, f'node "{node}" {said}')
        if labels(new) != labels(old):
            raise forbidden(attributes, f'node "{node}" cannot update labels through pod status')
        if _claims_of(new) != _claims_of(old):
            raise forbidden(attributes, f'node "{node}" cannot update resource claim statues')
        if nested(new, "status", "extendedResourceClaimStatus") != nested(old, "status", "extendedResourceClaimStatus"):
            raise forbidden(attributes, f'node "{node}" cannot update extended resource claim statues')

    async def _eviction(self, node: str, attributes: Attributes) -> None:
        if attributes.operation != CREATE:
            raise _unexpected(attributes)
        name = attributes.name or metadata(attributes.object).get("name")
        if not name:
            raise forbidden(attributes, "could not determine pod from request data")
        pod = await self._existing_pod(attributes, name)
        if nested(pod, "spec", "nodeName") != node:
            raise forbidden(attributes, f"node {node} can only evict pods with spec.nodeName set to itself")

    async def _node(self, node: str, attributes: Attributes) -> None:
        asked = attributes.name or metadata(attributes.object).get("name", "")
        if asked != node:
            raise forbidden(attributes, f'node "{node}" is not allowed to modify node "{asked}"')
        new, old = attributes.object, attributes.old_object
        if attributes.operation == CREATE:
            if nested(new, "spec", "configSource") is not None:
                said = f'node "{node}" is not allowed to create pods with a non-nil configSource'
                raise forbidden(attributes, said)
            if bad := forbidden_labels(labels(new), {}):
                said = f'node "{node}" is not allowed to set the following labels: {", ".join(bad)}'
                raise forbidden(attributes, said)
        elif attributes.operation == UPDATE:
            source = nested(new, "spec", "configSource")
            if source is not None and source != nested(old, "spec", "configSource"):
                said = f'node "{node}" is not allowed to update configSource to a new non-nil configSource'
                raise forbidden(attributes, said)
            if (nested(new, "spec", "taints") or []) != (nested(old, "spec", "taints") or []):
                raise forbidden(attributes, f'node "{node}" is not allowed to modify taints')
            if bad := forbidden_labels(labels(new), labels(old)):
                raise forbidden(attributes, f"is not allowed to modify labels: {', '.join(bad)}")

    async def _claim(self, node: str, attributes: Attributes) -> None:
        if attributes.subresource != "status":
            raise forbidden(attributes, "may only update PVC status")
        if attributes.operation != UPDATE:
            raise _unexpected(attributes)
        if _without_what_nodes_report(attributes.object) != _without_what_nodes_report(attributes.old_object):
            said = f'node "{node}" is not allowed to update fields other than status.capacity and status.conditions'
            raise forbidden(attributes, said)

    async def _token(self, node: str, attributes: Attributes) -> None:
        if attributes.operation != CREATE or attributes.subresource != "token":
            return
        bound = nested(attributes.object, "spec", "boundObjectRef") or {}
        if bound.get("apiVersion") != "v1" or bound.get("kind") != "Pod" or not bound.get("name"):
            raise forbidden(attributes, "node requested token not bound to a pod")
        uid = bound.get("uid")
        if not uid:
            raise forbidden(attributes, "node requested token with a pod binding without a uid")
        pod = await self._existing_pod(attributes, bound["name"])
        if metadata(pod).get("uid") != uid:
            raise forbidden(
                attributes,
                f"the UID in the bound object reference ({uid}) does not match the UID in record. The object might have"
                " been deleted and then recreated",
            )
        if nested(pod, "spec", "nodeName") != node:
            raise forbidden(attributes, "node requested token bound to a pod scheduled on a different node")

    async def _lease(self, node: str, attributes: Attributes) -> None:
        if attributes.namespace != _LEASES:
            raise forbidden(attributes, f'can only access leases in the "{_LEASES}" system namespace')
        if _name(attributes) != node:
            raise forbidden(attributes, "can only access node lease with the same name as the requesting node")

    async def _csi_node(self, node: str, attributes: Attributes) -> None:
        if _name(attributes) != node:
            raise forbidden(attributes, "can only access CSINode with the same name as the requesting node")

    async def _resource_slice(self, node: str, attributes: Attributes) -> None:
        # updates are the node authorizer's business: it knows the stored object, and nobody may change its node
        if attributes.operation == UPDATE:
            return
        creates = attributes.operation == CREATE
        slice_ = attributes.object if creates else attributes.old_object
        if nested(slice_, "spec", "nodeName") != node:
            verb = "create" if creates else "delete"
            raise forbidden(attributes, f"can only {verb} ResourceSlice with the same NodeName as the requesting node")

    async def _existing_pod(self, attributes: Attributes, name: str) -> Object:
        pod = await self._cluster.get("", "pods", attributes.namespace, name)
        if pod is None:
            raise status.not_found("", "pods", name)
        return pod


def _name(attributes: Attributes) -> str:
    if attributes.operation == CREATE:
        name: str = metadata(attributes.object).get("name") or ""
        return name
    return attributes.name


def _unexpected(attributes: Attributes) -> StatusError:
    words = {CREATE: "CREATE", UPDATE: "UPDATE", DELETE: "DELETE"}
    return forbidden(attributes, f'unexpected operation "{words[attributes.operation]}"')


def _problems_of_owner(node: str, owners: list[Object]) -> Iterator[str]:
    if len(owners) > 1:
        yield "can only create pods with a single owner reference set to itself"
        return
    owner = owners[0] if owners else {}
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
        yield "can only create pods with an owner reference set to itself"
    if not owner.get("controller"):
        yield "can only create pods with a controller owner reference set to itself"
    if owner.get("blockOwnerDeletion"):
        yield "must not set blockOwnerDeletion on an owner reference"


def _referenced(spec: Object) -> Iterator[str]:
    """What a mirror pod may not refer to and does."""
    if spec.get("serviceAccountName"):
        yield "a service account"
    if any(True for _ in secret_names(spec)):
        yield "secrets"
    if _uses_config_maps(spec):
        yield "configmaps"
    volumes = spec.get("volumes") or []
    sources = [source for volume in volumes for source in nested(volume, "projected", "sources") or ()]
    if any(source.get("clusterTrustBundle") for source in sources):
        yield "clustertrustbundles"
    if any(volume.get("persistentVolumeClaim") for volume in volumes):
        yield "persistentvolumeclaims"
    if spec.get("resourceClaims"):
        yield "resource claims"


def _uses_config_maps(spec: Object) -> bool:
    for _, container in containers(spec):
        if any(source.get("configMapRef") for source in container.get("envFrom") or ()):
            return True
        if any(nested(variable, "valueFrom", "configMapKeyRef") for variable in container.get("env") or ()):
            return True
    for volume in spec.get("volumes") or ():
        sources = nested(volume, "projected", "sources") or ()
        if volume.get("configMap") or any(source.get("configMap") for source in sources):
            return True
    return False


def _claims_of(pod: Object) -> list[tuple[Any, Any]]:
    found = nested(pod, "status", "resourceClaimStatuses") or ()
    return [(claim.get("name"), claim.get("resourceClaimName")) for claim in found]


def _without_what_nodes_report(claim: Object) -> Object:
    meta = {key: value for key, value in metadata(claim).items() if key not in {"resourceVersion", "managedFields"}}
    reported = {"capacity", "conditions", "allocatedResourceStatuses", "allocatedResources"}
    kept = {key: value for key, value in (claim.get("status") or {}).items() if key not in reported}
    return {**claim, "metadata": meta, "status": kept}
