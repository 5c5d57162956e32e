"""What every node may do, whatever runs on it: the rules of kube-apiserver v1.36 for kubelets.

As bootstrappolicy.NodeRules with the default feature gates. The node authorizer asks them for the resources that it
does not subdivide by node; the ClusterRole system:node has the same rules and is not bound to anybody by default.
"""

from __future__ import annotations

from typing import Final

from services.authorization.policy_rules import PolicyRule

_READ = ("get", "list", "watch")

NODE_RULES: Final = (
    # to check API access with delegated authentication and authorization
    PolicyRule(("create",), ("authentication.k8s.io",), ("tokenreviews",)),
    PolicyRule(("create",), ("authorization.k8s.io",), ("subjectaccessreviews", "localsubjectaccessreviews")),
    # environment variables of services
    PolicyRule(_READ, ("",), ("services",)),
    # its own node object; admission keeps it from others
    PolicyRule(("create", "get", "list", "watch"), ("",), ("nodes",)),
    PolicyRule(("update", "patch"), ("",), ("nodes/status",)),
    PolicyRule(("update", "patch"), ("",), ("nodes",)),
    PolicyRule(("create", "update", "patch"), ("",), ("events",)),
    # pods that it runs, and mirrors of its static pods
    PolicyRule(_READ, ("",), ("pods",)),
    PolicyRule(("create", "delete"), ("",), ("pods",)),
    PolicyRule(("update", "patch"), ("",), ("pods/status",)),
    PolicyRule(("create",), ("",), ("pods/eviction",)),
    PolicyRule(_READ, ("",), ("secrets", "configmaps")),
    PolicyRule(("get",), ("",), ("persistentvolumeclaims", "persistentvolumes")),
    PolicyRule(("get",), ("",), ("endpoints",)),
    # rotation of its client certificate
    PolicyRule(("create", "get", "list", "watch"), ("certificates.k8s.io",), ("certificatesigningrequests",)),
    PolicyRule(("get", "create", "update", "patch", "delete"), ("coordination.k8s.io",), ("leases",)),
    PolicyRule(("get",), ("storage.k8s.io",), ("volumeattachments",)),
    PolicyRule(("get", "update", "patch"), ("",), ("persistentvolumeclaims/status",)),
    # tokens for the pods that it runs, and the accounts that image credential providers ask about
    PolicyRule(("create",), ("",), ("serviceaccounts/token",)),
    PolicyRule(("get",), ("",), ("serviceaccounts",)),
    PolicyRule(("get", "watch", "list"), ("storage.k8s.io",), ("csidrivers",)),
    PolicyRule(("get", "create", "update", "patch", "delete"), ("storage.k8s.io",), ("csinodes",)),
    PolicyRule(("get", "list", "watch"), ("node.k8s.io",), ("runtimeclasses",)),
    # devices
    PolicyRule(("get",), ("resource.k8s.io",), ("resourceclaims",)),
    PolicyRule(("deletecollection",), ("resource.k8s.io",), ("resourceslices",)),
    PolicyRule(
        ("get", "list", "watch", "create", "update", "patch", "delete"), ("resource.k8s.io",), ("resourceslices",)
    ),
)
