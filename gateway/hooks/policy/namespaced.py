"""Roles within the reserved namespaces: leader locks, bootstrap tokens, and the authentication of extension servers.

Facts: plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go and testdata/namespace-role*.yaml of v1.36.
"""

from __future__ import annotations

from typing import Final

from gateway.hooks.policy.rules import READ, Object, events, role, role_binding, rule, service_account, user

SYSTEM: Final = "kube-system"
PUBLIC: Final = "kube-public"

_AUTHENTICATION_READER: Final = "extension-apiserver-authentication-reader"
_CONTROLLER_MANAGER_LOCK: Final = "system::leader-locking-kube-controller-manager"
_SCHEDULER_LOCK: Final = "system::leader-locking-kube-scheduler"


def roles() -> list[Object]:
    """The Roles of kube-system and kube-public."""
    lease_locks = (
        rule("get watch list create update", "coordination.k8s.io", "leases"),
        rule("get watch list create update", "coordination.k8s.io", "leasecandidates"),
    )
    return [
        role(
            SYSTEM,
            _AUTHENTICATION_READER,
            rule(READ, "core", "configmaps", names="extension-apiserver-authentication"),
        ),
        role(SYSTEM, "system:controller:bootstrap-signer", rule(READ, "core", "secrets")),
        role(SYSTEM, "system:controller:cloud-provider", rule("create get list watch", "core", "configmaps")),
        role(SYSTEM, "system:controller:token-cleaner", rule("get list watch delete", "core", "secrets"), events()),
        role(SYSTEM, _CONTROLLER_MANAGER_LOCK, *lease_locks),
        role(SYSTEM, _SCHEDULER_LOCK, *lease_locks),
        role(
            PUBLIC,
            "system:controller:bootstrap-signer",
            rule(READ, "core", "configmaps"),
            rule("update", "core", "configmaps", names="cluster-info"),
            events(),
        ),
    ]


def role_bindings() -> list[Object]:
    """Who has those Roles from the start."""
    signer = service_account(SYSTEM, "bootstrap-signer")
    return [
        role_binding(
            SYSTEM,
            _AUTHENTICATION_READER,
            user("system:kube-controller-manager"),
            user("system:kube-scheduler"),
            name="system::extension-apiserver-authentication-reader",
        ),
        role_binding(
            SYSTEM,
            _CONTROLLER_MANAGER_LOCK,
            user("system:kube-controller-manager"),
            service_account(SYSTEM, "kube-controller-manager"),
            service_account(SYSTEM, "leader-election-controller"),
        ),
        role_binding(SYSTEM, _SCHEDULER_LOCK, user("system:kube-scheduler"), service_account(SYSTEM, "kube-scheduler")),
        role_binding(SYSTEM, "system:controller:bootstrap-signer", signer),
        role_binding(SYSTEM, "system:controller:cloud-provider", service_account(SYSTEM, "cloud-provider")),
        role_binding(SYSTEM, "system:controller:token-cleaner", service_account(SYSTEM, "token-cleaner")),
        role_binding(PUBLIC, "system:controller:bootstrap-signer", signer),
    ]
