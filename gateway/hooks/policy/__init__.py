"""The bootstrap RBAC policy of Kubernetes v1.36 as data: which subject may do what on a fresh cluster.

One module per kind of subject (people, components, controllers, the reserved namespaces), written with the small
rule builder of `rules`. The hook `bootstrap_roles` hands these objects to the reconciler; nothing else reads them.
"""

from __future__ import annotations

from gateway.hooks.policy import components, controllers, namespaced, user_facing
from gateway.hooks.policy.rules import Object


def cluster_roles() -> list[Object]:
    """Every bootstrap ClusterRole, without server-set metadata."""
    return [*user_facing.cluster_roles(), *components.cluster_roles(), *controllers.cluster_roles()]


def cluster_role_bindings() -> list[Object]:
    """Every bootstrap ClusterRoleBinding, without server-set metadata."""
    return [
        *user_facing.cluster_role_bindings(),
        *components.cluster_role_bindings(),
        *controllers.cluster_role_bindings(),
    ]


def roles() -> list[Object]:
    """Every bootstrap Role, all in reserved namespaces."""
    return namespaced.roles()


def role_bindings() -> list[Object]:
    """Every bootstrap RoleBinding, all in reserved namespaces."""
    return namespaced.role_bindings()
