"""Mode Node: what kubelets may do, limited to what runs on their node.

As kube-apiserver's node authorizer in v1.36 with its default feature gates: a user system:node:<name> in the group
system:nodes may read the secrets, config maps, claims, volumes and service accounts of its own pods, its own node,
lease, CSI node, attachments and resource slices, and list pods only by its own name; what is not subdivided by node
is decided by fixed rules. Reasons are word for word those of kube-apiserver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kubehop.pb.authorization.v1 import SELECTOR_OPERATOR_IN
from services.authorization.attributes import ALLOW, NO_OPINION, Attributes, Rules, Verdict, no_opinion
from services.authorization.node_graph import NodeGraph, Vertex
from services.authorization.node_rules import NODE_RULES

NODE_USER_PREFIX = "system:node:"
NODES_GROUP = "system:nodes"
NODE_LEASE_NAMESPACE = "kube-node-lease"

_SINGLE = frozenset({"get", "create", "update", "patch", "delete"})
_READ = frozenset({"get", "list", "watch"})

Decide = Callable[[str, Attributes], Verdict]


def node_name(username: str, groups: tuple[str, ...]) -> str | None:
    """Return the name of the node that a user is (perhaps empty), or None for everybody else."""
    if username.startswith(NODE_USER_PREFIX) and NODES_GROUP in groups:
        return username.removeprefix(NODE_USER_PREFIX)
    return None


class NodeAuthorizer:
    """Decides for kubelets; has no opinion of others."""

    name = "Node"

    def __init__(self, graph: NodeGraph) -> None:
        """Decide by this graph, as current as its reflectors."""
        self._graph = graph
        self._subdivided: Mapping[tuple[str, str], Decide] = {
            ("", "secrets"): self._reader_of(Vertex.SECRET),
            ("", "configmaps"): self._reader_of(Vertex.CONFIG_MAP),
            ("", "persistentvolumeclaims"): self._volume_claim,
            ("", "persistentvolumes"): self._getter_of(Vertex.VOLUME),
            ("resource.k8s.io", "resourceclaims"): self._getter_of(Vertex.RESOURCE_CLAIM),
            ("storage.k8s.io", "volumeattachments"): self._getter_of(Vertex.VOLUME_ATTACHMENT),
            ("", "serviceaccounts"): self._service_account,
            ("coordination.k8s.io", "leases"): _lease,
            ("storage.k8s.io", "csinodes"): _csi_node,
            ("resource.k8s.io", "resourceslices"): self._resource_slice,
            ("", "nodes"): _node,
            ("", "pods"): self._pod,
        }

    def authorize(self, attributes: Attributes) -> Verdict:
        """Allow, or leave it to the next authorizer with the reason."""
        node = node_name(attributes.username, attributes.groups)
        if node is None:
            return NO_OPINION
        if not node:
            return no_opinion(f'unknown node for user "{attributes.username}"')
        if attributes.resource_request:
            decide = self._subdivided.get((attributes.api_group, attributes.resource))
            if decide is not None:
                return decide(node, attributes)
        if any(rule.allows(attributes) for rule in NODE_RULES):
            return ALLOW
        return NO_OPINION

    def rules(self, username: str, groups: tuple[str, ...], namespace: str) -> Rules:  # noqa: ARG002
        """Tell that a node's rules cannot be listed: they depend on the objects."""
        if node_name(username, groups) is None:
            return Rules()
        return Rules(incomplete=True, errors=("node authorizer does not support user rule resolution",))

    def _related(self, node: str, vertex: Vertex, attributes: Attributes) -> Verdict:
        if not attributes.name:
            return no_opinion("No Object name found")
        return self._if_related(node, vertex, attributes)

    def _if_related(self, node: str, vertex: Vertex, attributes: Attributes) -> Verdict:
        if self._graph.related(node, vertex, attributes.namespace, attributes.name):
            return ALLOW
        return no_opinion(f"no relationship found between node '{node}' and this object")

    def _getter_of(self, vertex: Vertex) -> Decide:
        def decide(node: str, attributes: Attributes) -> Verdict:
            if attributes.verb != "get":
                return no_opinion("can only get individual resources of this type")
            if attributes.subresource:
                return no_opinion("cannot get subresource")
            return self._related(node, vertex, attributes)

        return decide

    def _reader_of(self, vertex: Vertex) -> Decide:
        def decide(node: str, attributes: Attributes) -> Verdict:
            if attributes.verb not in _READ:
                return no_opinion("can only read resources of this type")
            if attributes.subresource:
                return no_opinion("cannot read subresource")
            if not attributes.namespace:
                return no_opinion("can only read namespaced object of this type")
            return self._related(node, vertex, attributes)

        return decide

    def _volume_claim(self, node: str, attributes: Attributes) -> Verdict:
        if attributes.subresource != "status":
            return self._getter_of(Vertex.VOLUME_CLAIM)(node, attributes)
        if attributes.verb not in {"update", "patch"}:
            return no_opinion("can only get/update/patch this type")
        return self._related(node, Vertex.VOLUME_CLAIM, attributes)

    def _service_account(self, node: str, attributes: Attributes) -> Verdict:
        if attributes.verb == "get" and not attributes.subresource:
            return self._reader_of(Vertex.SERVICE_ACCOUNT)(node, attributes)
        if attributes.verb != "create" or not attributes.name:
            return no_opinion("can only create tokens for individual service accounts")
        if attributes.subresource != "token":
            return no_opinion("can only create token subresource of serviceaccount")
        return self._if_related(node, Vertex.SERVICE_ACCOUNT, attributes)

    def _resource_slice(self, node: str, attributes: Attributes) -> Verdict:
        if attributes.subresource:
            return no_opinion("cannot authorize ResourceSlice subresources")
        if attributes.verb == "create":
            # admission checks that the slice names this node
            return ALLOW
        if attributes.verb in {"get", "update", "patch", "delete"}:
            return self._related(node, Vertex.RESOURCE_SLICE, attributes)
        if attributes.verb in {"watch", "list", "deletecollection"}:
            if _selects_only(attributes, "nodeName", node):
                return ALLOW
            return no_opinion("can only list/watch/deletecollection resourceslices with nodeName field selector")
        return no_opinion(
            "only the following verbs are allowed for a ResourceSlice: "
            "get, watch, list, create, update, patch, delete, deletecollection"
        )

    def _pod(self, node: str, attributes: Attributes) -> Verdict:
        # what a node does to pods is limited to its own by admission
        match attributes.subresource, attributes.verb:
            case "", "get":
                return self._related(node, Vertex.POD, attributes)
            case "", "list" | "watch":
                if _selects_only(attributes, "spec.nodeName", node):
                    return ALLOW
                if attributes.name:
                    return self._related(node, Vertex.POD, attributes)
                return no_opinion("can only list/watch pods with spec.nodeName field selector")
            case ("", "create" | "delete") | ("status", "update" | "patch") | ("eviction", "create"):
                return ALLOW
        return NO_OPINION


def _selects_only(attributes: Attributes, field: str, value: str) -> bool:
    return any(
        requirement.key == field and requirement.operator == SELECTOR_OPERATOR_IN and requirement.values == (value,)
        for requirement in attributes.field_selector
    )


def _lease(node: str, attributes: Attributes) -> Verdict:
    if attributes.verb not in _SINGLE:
        return no_opinion("can only get, create, update, patch, or delete a node lease")
    if attributes.namespace != NODE_LEASE_NAMESPACE:
        return no_opinion(f'can only access leases in the "{NODE_LEASE_NAMESPACE}" system namespace')
    # the name is not known yet on create: admission checks it
    if attributes.verb != "create" and attributes.name != node:
        return no_opinion("can only access node lease with the same name as the requesting node")
    return ALLOW


def _csi_node(node: str, attributes: Attributes) -> Verdict:
    if attributes.verb not in _SINGLE:
        return no_opinion("can only get, create, update, patch, or delete a CSINode")
    if attributes.subresource:
        return no_opinion("cannot authorize CSINode subresources")
    if attributes.verb != "create" and attributes.name != node:
        return no_opinion("can only access CSINode with the same name as the requesting node")
    return ALLOW


def _node(node: str, attributes: Attributes) -> Verdict:
    # writing is limited to its own node by admission
    match attributes.subresource, attributes.verb:
        case ("", "create" | "update" | "patch") | ("status", "update" | "patch"):
            return ALLOW
        case "", "get" | "list" | "watch":
            # by name and not by the graph, so that a kubelet can look for its node before it is there
            if attributes.name == node:
                return ALLOW
            if not attributes.name:
                return no_opinion(f"node '{node}' cannot read all nodes, only its own Node object")
            return no_opinion(f"node '{node}' cannot read '{attributes.name}', only its own Node object")
    return NO_OPINION
