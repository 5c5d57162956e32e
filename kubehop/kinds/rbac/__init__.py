"""The rbac.authorization.k8s.io group: roles and their bindings."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import Resource, served

_served = partial(served, "rbac.authorization.k8s.io", "v1", home="rbac")

RESOURCES: tuple[Resource, ...] = (
    _served("clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    _served("clusterroles", "ClusterRole", namespaced=False),
    _served("rolebindings", "RoleBinding", namespaced=True),
    _served("roles", "Role", namespaced=True),
)
