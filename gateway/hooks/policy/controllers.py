"""Roles of the controllers of kube-controller-manager: one ClusterRole, one ServiceAccount in kube-system each.

Facts: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go and testdata/controller-roles.yaml with the
feature gates of v1.36 at their defaults.
"""

from __future__ import annotations

from typing import Final

from gateway.hooks.policy.rules import (
    READ,
    Object,
    Rule,
    cluster_role,
    cluster_role_binding,
    events,
    rule,
    service_account,
)

PREFIX: Final = "system:controller:"


def cluster_roles() -> list[Object]:
    """One ClusterRole per controller."""
    return [cluster_role(PREFIX + name, *rules) for name, rules in _policies().items()]


def cluster_role_bindings() -> list[Object]:
    """Each controller's role to the ServiceAccount of the controller's name."""
    return [cluster_role_binding(PREFIX + name, service_account("kube-system", name)) for name in _policies()]


def _policies() -> dict[str, list[Rule]]:
    return {**_workloads(), **_networking(), **_storage(), **_devices(), **_cluster()}


def _workloads() -> dict[str, list[Rule]]:
    pods = rule("list watch create delete patch", "core", "pods")
    revisions = rule("get list watch create delete update patch", "apps", "controllerrevisions")
    return {
        "cronjob-controller": [
            rule("get list watch update", "batch", "cronjobs"),
            rule("get list watch create update delete patch", "batch", "jobs"),
            rule("update", "batch", "cronjobs/status"),
            rule("update", "batch", "cronjobs/finalizers"),
            rule("list watch delete", "core", "pods"),
            events(),
        ],
        "daemon-set-controller": [
            rule(READ, "apps extensions", "daemonsets"),
            rule("update", "apps extensions", "daemonsets/status"),
            rule("update", "apps extensions", "daemonsets/finalizers"),
            rule("list watch", "core", "nodes"),
            pods,
            rule("create", "core", "pods/binding"),
            revisions,
            events(),
        ],
        "deployment-controller": [
            rule("get list watch update", "apps extensions", "deployments"),
            rule("update", "apps extensions", "deployments/status"),
            rule("update", "apps extensions", "deployments/finalizers"),
            rule("get list watch create update patch delete", "apps extensions", "replicasets"),
            rule("get list watch update", "core", "pods"),
            events(),
        ],
        "disruption-controller": [
            rule(READ, "apps extensions", "deployments"),
            rule(READ, "apps extensions", "replicasets"),
            rule(READ, "core", "replicationcontrollers"),
            rule(READ, "policy", "poddisruptionbudgets"),
            rule(READ, "apps", "statefulsets"),
            rule("update", "policy", "poddisruptionbudgets/status"),
            rule("patch update", "core", "pods/status"),
            rule("get", "*", "*/scale"),
            events(),
        ],
        "horizontal-pod-autoscaler": [
            rule(READ, "autoscaling", "horizontalpodautoscalers"),
            rule("update", "autoscaling", "horizontalpodautoscalers/status"),
            rule("get update", "*", "*/scale"),
            rule("list watch", "core", "pods"),
            rule("list watch", "metrics.k8s.io", "pods"),
            rule(READ, "custom.metrics.k8s.io", "*"),
            rule(READ, "external.metrics.k8s.io", "*"),
            events(),
        ],
        "job-controller": [
            rule("get list watch update patch", "batch", "jobs"),
            rule("update", "batch", "jobs/status"),
            rule("update", "batch", "jobs/finalizers"),
            pods,
            events(),
        ],
        "pod-garbage-collector": [
            rule("list watch delete", "core", "pods"),
            rule(READ, "core", "nodes"),
            rule("patch", "core", "pods/status"),
        ],
        "replicaset-controller": [
            rule("get list watch update", "apps extensions", "replicasets"),
            rule("update", "apps extensions", "replicasets/status"),
            rule("update", "apps extensions", "replicasets/finalizers"),
            pods,
            events(),
        ],
        "replication-controller": [
            rule("get list watch update", "core", "replicationcontrollers"),
            rule("update", "core", "replicationcontrollers/status"),
            rule("update", "core", "replicationcontrollers/finalizers"),
            pods,
            events(),
        ],
        "statefulset-controller": [
            rule("list watch", "core", "pods"),
            rule(READ, "apps", "statefulsets"),
            rule("update", "apps", "statefulsets/status"),
            rule("update", "apps", "statefulsets/finalizers"),
            rule("get create delete update patch", "core", "pods"),
            revisions,
            rule("get create list watch", "core", "persistentvolumeclaims"),
            rule("update delete", "core", "persistentvolumeclaims"),
            rule("update", "core", "pods/finalizers"),
            events(),
        ],
        "ttl-after-finished-controller": [rule("get list watch delete", "batch", "jobs"), events()],
    }


def _networking() -> dict[str, list[Rule]]:
    slices = rule("get list watch create update delete", "discovery.k8s.io", "endpointslices")
    return {
        "endpoint-controller": [
            rule(READ, "core", "services pods"),
            rule("get list watch create update delete", "core", "endpoints"),
            rule("create", "core", "endpoints/restricted"),
            events(),
        ],
        # services/finalizers: a slice names its Service as the owner that blocks its deletion
        "endpointslice-controller": [
            rule(READ, "core", "services pods nodes"),
            rule("update", "core", "services/finalizers"),
            slices,
            events(),
        ],
        "endpointslicemirroring-controller": [
            rule(READ, "core", "services endpoints"),
            rule("update", "core", "services/finalizers"),
            rule("update", "core", "endpoints/finalizers"),
            slices,
            events(),
        ],
        "route-controller": [
            rule("list watch", "core", "nodes"),
            rule("patch", "core", "nodes/status"),
            events(),
        ],
        "service-controller": [
            rule(READ, "core", "services"),
            rule("patch update", "core", "services/status"),
            rule("list watch", "core", "nodes"),
            events(),
        ],
        "service-cidrs-controller": [
            rule("get list watch patch update", "networking.k8s.io", "servicecidrs"),
            rule("patch update", "networking.k8s.io", "servicecidrs/finalizers"),
            rule("patch update", "networking.k8s.io", "servicecidrs/status"),
            rule(READ, "networking.k8s.io", "ipaddresses"),
            events(),
        ],
    }


def _storage() -> dict[str, list[Rule]]:
    return {
        "attachdetach-controller": [
            rule("list watch", "core", "persistentvolumes persistentvolumeclaims"),
            rule(READ, "core", "nodes"),
            rule("patch update", "core", "nodes/status"),
            rule("list watch", "core", "pods"),
            events(),
            rule("get create delete list watch", "storage.k8s.io", "volumeattachments"),
            rule(READ, "storage.k8s.io", "csidrivers"),
            rule(READ, "storage.k8s.io", "csinodes"),
        ],
        "expand-controller": [
            rule("get list watch update patch", "core", "persistentvolumes"),
            rule("update patch", "core", "persistentvolumeclaims/status"),
            rule(READ, "core", "persistentvolumeclaims"),
            events(),
        ],
        "ephemeral-volume-controller": [
            rule(READ, "core", "pods"),
            rule("update", "core", "pods/finalizers"),
            rule("get list watch create", "core", "persistentvolumeclaims"),
            events(),
        ],
        "persistent-volume-binder": [
            rule("get list watch update create delete", "core", "persistentvolumes"),
            rule("update", "core", "persistentvolumes/status"),
            rule("get list watch update", "core", "persistentvolumeclaims"),
            rule("update", "core", "persistentvolumeclaims/status"),
            rule("list watch get create delete", "core", "pods"),
            rule(READ, "storage.k8s.io", "storageclasses"),
            rule("list watch", "core", "nodes"),
            events(),
            rule("watch", "core", "events"),
        ],
        "pvc-protection-controller": [
            rule("get list watch update", "core", "persistentvolumeclaims"),
            rule("update", "core", "persistentvolumeclaims/status"),
            rule(READ, "core", "pods"),
            events(),
        ],
        "pv-protection-controller": [rule("get list watch update", "core", "persistentvolumes"), events()],
        "selinux-warning-controller": [
            events(),
            rule(READ, "core", "persistentvolumes"),
            rule(READ, "core", "persistentvolumeclaims"),
            rule(READ, "core", "pods"),
            rule(READ, "storage.k8s.io", "csidrivers"),
        ],
        "volumeattributesclass-protection-controller": [
            rule(READ, "core", "persistentvolumeclaims"),
            rule(READ, "core", "persistentvolumes"),
            rule("get list watch update", "storage.k8s.io", "volumeattributesclasses"),
            events(),
        ],
    }


def _devices() -> dict[str, list[Rule]]:
    return {
        "resource-claim-controller": [
            rule(READ, "core", "pods"),
            rule("update", "core", "pods/finalizers"),
            rule("get list watch create delete", "resource.k8s.io", "resourceclaims"),
            rule("update patch", "resource.k8s.io", "resourceclaims resourceclaims/status"),
            rule("update patch", "core", "pods/status"),
            events(),
            rule("update patch", "resource.k8s.io", "resourceclaims/binding"),
        ],
        "device-taint-eviction-controller": [
            rule("get list watch delete", "core", "pods"),
            rule("update patch", "core", "pods/status"),
            rule(READ, "resource.k8s.io", "resourceclaims"),
            rule(READ, "resource.k8s.io", "resourceslices"),
            rule(READ, "resource.k8s.io", "deviceclasses"),
            events(),
        ],
    }


def _cluster() -> dict[str, list[Rule]]:
    own_signer = "kubernetes.io/kube-apiserver-client-kubelet"
    signers = (
        f"kubernetes.io/legacy-unknown kubernetes.io/kube-apiserver-client {own_signer} kubernetes.io/kubelet-serving"
    )
    return {
        # it must be able to write any rule into a ClusterRole, so it may escalate
        "clusterrole-aggregation-controller": [
            rule("escalate get list watch update patch", "rbac.authorization.k8s.io", "clusterroles"),
        ],
        "generic-garbage-collector": [rule("get list watch patch update delete", "*", "*"), events()],
        "namespace-controller": [
            rule("get list watch delete", "core", "namespaces"),
            rule("update", "core", "namespaces/finalize namespaces/status"),
            rule("get list watch delete deletecollection", "*", "*"),
        ],
        "node-controller": [
            rule("get list watch update delete patch", "core", "nodes"),
            rule("patch update", "core", "nodes/status"),
            rule("patch update", "core", "pods/status"),
            rule("list watch get delete", "core", "pods"),
            events(),
        ],
        "resourcequota-controller": [
            rule("list watch", "*", "*"),
            rule("update", "core", "resourcequotas/status"),
            events(),
        ],
        "service-account-controller": [rule("create", "core", "serviceaccounts"), events()],
        "legacy-service-account-token-cleaner": [
            rule("get", "core", "configmaps", names="kube-apiserver-legacy-service-account-token-tracking"),
            rule("patch delete", "core", "secrets"),
        ],
        "ttl-controller": [rule("update patch list watch", "core", "nodes"), events()],
        "certificate-controller": [
            rule("get list watch delete", "certificates.k8s.io", "certificatesigningrequests"),
            rule(
                "update",
                "certificates.k8s.io",
                "certificatesigningrequests/status certificatesigningrequests/approval",
            ),
            rule("approve", "certificates.k8s.io", "signers", names=own_signer),
            rule("sign", "certificates.k8s.io", "signers", names=signers),
            rule("create", "authorization.k8s.io", "subjectaccessreviews"),
            events(),
        ],
        "root-ca-cert-publisher": [rule("create update", "core", "configmaps"), events()],
        "validatingadmissionpolicy-status-controller": [
            rule(READ, "admissionregistration.k8s.io", "validatingadmissionpolicies"),
            rule("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"),
            events(),
        ],
    }
