"""Roles of the system's components: nodes, kubelet clients, proxy, scheduler, controller manager, DNS, signers.

Facts: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go with the feature gates of v1.36 at their defaults.
"""

from __future__ import annotations

from gateway.hooks.policy.rules import (
    READ,
    READ_UPDATE,
    READ_WRITE,
    Object,
    cluster_role,
    cluster_role_binding,
    events,
    group,
    rule,
    service_account,
    urls,
    user,
)


def cluster_roles() -> list[Object]:
    """The ClusterRoles meant for components."""
    return [*_node_roles(), *_control_plane_roles(), *_storage_roles(), *_certificate_roles(), *_service_roles()]


def cluster_role_bindings() -> list[Object]:
    """Who has those roles from the start."""
    return [
        cluster_role_binding("system:node-proxier", user("system:kube-proxy")),
        cluster_role_binding("system:kube-controller-manager", user("system:kube-controller-manager")),
        cluster_role_binding("system:kube-dns", service_account("kube-system", "kube-dns")),
        cluster_role_binding("system:kube-scheduler", user("system:kube-scheduler")),
        cluster_role_binding("system:volume-scheduler", user("system:kube-scheduler")),
        # without subjects: nodes are authorized by the Node authorizer, the binding remains for clusters without it
        cluster_role_binding("system:node"),
        cluster_role_binding("system:service-account-issuer-discovery", group("system:serviceaccounts")),
    ]


def _node_roles() -> list[Object]:
    return [
        cluster_role(
            "system:node",
            rule("create", "authentication.k8s.io", "tokenreviews"),
            rule("create", "authorization.k8s.io", "subjectaccessreviews localsubjectaccessreviews"),
            rule(READ, "core", "services"),
            rule("create get list watch", "core", "nodes"),
            rule("update patch", "core", "nodes/status"),
            rule("update patch", "core", "nodes"),
            events(),
            rule(READ, "core", "pods"),
            rule("create delete", "core", "pods"),
            rule("update patch", "core", "pods/status"),
            rule("create", "core", "pods/eviction"),
            rule(READ, "core", "secrets configmaps"),
            rule("get", "core", "persistentvolumeclaims persistentvolumes"),
            rule("get", "core", "endpoints"),
            rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
            rule("get create update patch delete", "coordination.k8s.io", "leases"),
            rule("get", "storage.k8s.io", "volumeattachments"),
            rule("create", "core", "serviceaccounts/token"),
            rule("get update patch", "core", "persistentvolumeclaims/status"),
            rule(READ, "storage.k8s.io", "csidrivers"),
            rule("get create update patch delete", "storage.k8s.io", "csinodes"),
            rule(READ, "node.k8s.io", "runtimeclasses"),
            rule("get", "resource.k8s.io", "resourceclaims"),
            rule("deletecollection", "resource.k8s.io", "resourceslices"),
            rule("get", "core", "serviceaccounts"),
        ),
        cluster_role(
            "system:node-problem-detector",
            rule("get", "core", "nodes"),
            rule("patch", "core", "nodes/status"),
            events(),
        ),
        cluster_role(
            "system:node-bootstrapper",
            rule("create get list watch", "certificates.k8s.io", "certificatesigningrequests"),
        ),
        cluster_role(
            "system:kubelet-api-admin",
            rule(READ, "core", "nodes"),
            rule("proxy", "core", "nodes"),
            rule("*", "core", "nodes/proxy nodes/metrics nodes/stats nodes/log"),
            rule("*", "core", "nodes/pods nodes/healthz nodes/configz"),
        ),
        cluster_role(
            "system:node-proxier",
            rule("list watch", "core", "services endpoints"),
            rule(READ, "core", "nodes"),
            events(),
            rule("list watch", "networking.k8s.io", "servicecidrs"),
            rule("list watch", "discovery.k8s.io", "endpointslices"),
        ),
    ]


def _control_plane_roles() -> list[Object]:
    return [
        cluster_role(
            "system:kube-controller-manager",
            events(),
            rule("create", "coordination.k8s.io", "leases"),
            rule("get update", "coordination.k8s.io", "leases", names="kube-controller-manager"),
            rule("create", "core", "secrets serviceaccounts"),
            rule("delete", "core", "secrets"),
            rule("get", "core", "namespaces secrets serviceaccounts configmaps"),
            rule("update", "core", "secrets serviceaccounts"),
            rule("create", "authentication.k8s.io", "tokenreviews"),
            rule("create", "authorization.k8s.io", "subjectaccessreviews"),
            rule("list watch", "*", "*"),
            rule("create", "core", "serviceaccounts/token"),
        ),
        cluster_role(
            "system:kube-scheduler",
            events(),
            rule("create", "coordination.k8s.io", "leases"),
            rule("get update list watch", "coordination.k8s.io", "leases", names="kube-scheduler"),
            rule(READ_WRITE, "coordination.k8s.io", "leasecandidates"),
            rule(READ, "core", "nodes"),
            rule("get list watch delete", "core", "pods"),
            rule("create", "core", "pods/binding bindings"),
            rule("patch update", "core", "pods/status"),
            rule(READ, "core", "services replicationcontrollers"),
            rule(READ, "apps extensions", "replicasets"),
            rule(READ, "apps", "statefulsets"),
            rule(READ, "policy", "poddisruptionbudgets"),
            rule(READ, "core", "persistentvolumeclaims persistentvolumes"),
            rule("create", "authentication.k8s.io", "tokenreviews"),
            rule("create", "authorization.k8s.io", "subjectaccessreviews"),
            rule(READ, "storage.k8s.io", "csinodes"),
            rule(READ, "storage.k8s.io", "volumeattachments"),
            rule(READ, "core", "namespaces"),
            rule(READ, "storage.k8s.io", "csidrivers"),
            rule(READ, "storage.k8s.io", "csistoragecapacities"),
            rule(READ, "resource.k8s.io", "deviceclasses"),
            rule(READ_UPDATE, "resource.k8s.io", "resourceclaims"),
            rule(READ_UPDATE, "resource.k8s.io", "resourceclaims/status"),
            rule("update", "core", "pods/finalizers"),
            rule(READ, "resource.k8s.io", "resourceslices"),
            rule("create delete", "resource.k8s.io", "resourceclaims"),
            rule("update patch", "resource.k8s.io", "resourceclaims/binding"),
        ),
        cluster_role("system:kube-aggregator", rule(READ, "core", "services endpoints")),
        cluster_role(
            "system:auth-delegator",
            rule("create", "authentication.k8s.io", "tokenreviews"),
            rule("create", "authorization.k8s.io", "subjectaccessreviews"),
        ),
    ]


def _storage_roles() -> list[Object]:
    return [
        cluster_role(
            "system:persistent-volume-provisioner",
            rule("get list watch create delete", "core", "persistentvolumes"),
            rule("get list watch update", "core", "persistentvolumeclaims"),
            rule(READ, "storage.k8s.io", "storageclasses"),
            rule("watch", "core", "events"),
            events(),
        ),
        cluster_role(
            "system:volume-scheduler",
            rule(READ_UPDATE, "core", "persistentvolumes"),
            rule(READ, "storage.k8s.io", "storageclasses"),
            rule(READ_UPDATE, "core", "persistentvolumeclaims"),
        ),
    ]


def _certificate_roles() -> list[Object]:
    requests = "system:certificates.k8s.io:certificatesigningrequests"
    approvers = {
        "legacy-unknown-approver": "kubernetes.io/legacy-unknown",
        "kubelet-serving-approver": "kubernetes.io/kubelet-serving",
        "kube-apiserver-client-approver": "kubernetes.io/kube-apiserver-client",
        "kube-apiserver-client-kubelet-approver": "kubernetes.io/kube-apiserver-client-kubelet",
    }
    return [
        *(
            cluster_role(
                f"{requests}:{subresource}",
                rule("create", "certificates.k8s.io", f"certificatesigningrequests/{subresource}"),
            )
            for subresource in ("nodeclient", "selfnodeclient")
        ),
        *(
            cluster_role(
                f"system:certificates.k8s.io:{name}",
                rule("approve", "certificates.k8s.io", "signers", names=signer),
            )
            for name, signer in approvers.items()
        ),
    ]


def _service_roles() -> list[Object]:
    return [
        cluster_role("system:kube-dns", rule("list watch", "core", "endpoints services")),
        cluster_role(
            "system:heapster",
            rule(READ, "core", "events pods nodes namespaces"),
            rule(READ, "extensions", "deployments"),
        ),
        # with the slash at the end too: clients generated from old API documents ask that way
        cluster_role(
            "system:service-account-issuer-discovery",
            urls(
                "get",
                "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
            ),
        ),
    ]
