"""Roles for people: the administrator, admin / edit / view of a namespace, discovery, and what everybody may ask.

`admin`, `edit` and `view` are aggregated: their own rules stay empty until an aggregation controller gathers the
`system:aggregate-to-*` roles (and whatever else carries the labels), exactly as kube-apiserver creates them.
Facts: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go.
"""

from __future__ import annotations

from typing import Final

from gateway.hooks.policy.rules import (
    READ,
    READ_WRITE,
    WRITE,
    Object,
    Rule,
    aggregated_role,
    cluster_role,
    cluster_role_binding,
    group,
    rule,
    urls,
)

TO_ADMIN: Final = "rbac.authorization.k8s.io/aggregate-to-admin"
TO_EDIT: Final = "rbac.authorization.k8s.io/aggregate-to-edit"
TO_VIEW: Final = "rbac.authorization.k8s.io/aggregate-to-view"

AUTHENTICATED: Final = "system:authenticated"
UNAUTHENTICATED: Final = "system:unauthenticated"

_HEALTH: Final = "/livez /readyz /healthz"
_VERSION: Final = "/version /version/"


def cluster_roles() -> list[Object]:
    """The ClusterRoles meant for people."""
    return [
        cluster_role("cluster-admin", rule("*", "*", "*"), urls("*", "*")),
        cluster_role(
            "system:discovery",
            urls("get", f"{_HEALTH} {_VERSION} /openapi /openapi/* /api /api/* /apis /apis/*"),
        ),
        cluster_role(
            "system:monitoring",
            urls("get", f"/metrics /metrics/slis {_HEALTH} /livez/* /readyz/* /healthz/* /flagz /statusz"),
            rule("get", "core", "nodes/metrics"),
        ),
        cluster_role(
            "system:basic-user",
            rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
            rule("create", "authentication.k8s.io", "selfsubjectreviews"),
        ),
        cluster_role("system:public-info-viewer", urls("get", f"{_HEALTH} {_VERSION}")),
        aggregated_role("admin", TO_ADMIN),
        aggregated_role("edit", TO_EDIT, labels={TO_ADMIN: "true"}),
        aggregated_role("view", TO_VIEW, labels={TO_EDIT: "true"}),
        cluster_role(
            "system:aggregate-to-admin",
            rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
            rule(READ_WRITE, "rbac.authorization.k8s.io", "roles rolebindings"),
            labels={TO_ADMIN: "true"},
        ),
        cluster_role("system:aggregate-to-edit", *_edit(), labels={TO_EDIT: "true"}),
        cluster_role("system:aggregate-to-view", *_view(), labels={TO_VIEW: "true"}),
    ]


def cluster_role_bindings() -> list[Object]:
    """Who has those roles from the start."""
    return [
        cluster_role_binding("cluster-admin", group("system:masters")),
        cluster_role_binding("system:monitoring", group("system:monitoring")),
        cluster_role_binding("system:discovery", group(AUTHENTICATED)),
        cluster_role_binding("system:basic-user", group(AUTHENTICATED)),
        cluster_role_binding("system:public-info-viewer", group(AUTHENTICATED), group(UNAUTHENTICATED)),
    ]


def _view() -> list[Rule]:
    return [
        rule(
            READ,
            "core",
            "pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status"
            " endpoints persistentvolumeclaims persistentvolumeclaims/status configmaps",
        ),
        rule(
            READ,
            "core",
            "limitranges resourcequotas bindings pods/status resourcequotas/status namespaces/status"
            " replicationcontrollers/status pods/log",
        ),
        # in a namespace this reads the namespace itself, so that a client can learn which ones it may look into
        rule(READ, "core", "namespaces"),
        rule(READ, "core events.k8s.io", "events"),
        rule(READ, "discovery.k8s.io", "endpointslices"),
        rule(
            READ,
            "apps",
            "controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets daemonsets/status"
            " deployments deployments/status deployments/scale replicasets replicasets/status replicasets/scale",
        ),
        rule(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
        rule(READ, "batch", "jobs jobs/status cronjobs cronjobs/status"),
        rule(
            READ,
            "extensions",
            "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses"
            " ingresses/status replicasets replicasets/scale replicasets/status replicationcontrollers/scale"
            " networkpolicies",
        ),
        rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
        rule(READ, "networking.k8s.io", "networkpolicies ingresses ingresses/status"),
        rule(READ, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
    ]


def _edit() -> list[Rule]:
    return [
        # reading these would let a viewer become more than a viewer
        rule(READ, "core", "pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy"),
        rule("impersonate", "core", "serviceaccounts"),
        rule(WRITE, "core", "pods pods/attach pods/proxy pods/exec pods/portforward"),
        rule("create", "core", "pods/eviction"),
        rule(
            WRITE,
            "core",
            "replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy"
            " persistentvolumeclaims configmaps secrets",
        ),
        rule("create", "core", "serviceaccounts/token"),
        rule(WRITE, "core events.k8s.io", "events"),
        rule(
            WRITE,
            "apps",
            "statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback"
            " replicasets replicasets/scale",
        ),
        rule(WRITE, "autoscaling", "horizontalpodautoscalers"),
        rule(WRITE, "batch", "jobs cronjobs"),
        rule(
            WRITE,
            "extensions",
            "daemonsets deployments deployments/scale deployments/rollback ingresses replicasets replicasets/scale"
            " replicationcontrollers/scale networkpolicies",
        ),
        rule(WRITE, "policy", "poddisruptionbudgets"),
        rule(WRITE, "networking.k8s.io", "networkpolicies ingresses"),
        rule(READ_WRITE, "coordination.k8s.io", "leases"),
        rule(WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
    ]
