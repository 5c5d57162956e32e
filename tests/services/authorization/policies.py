"""Roles, bindings and questions for the tests of the authorization stage."""

from __future__ import annotations

from typing import Any

from services.authorization.attributes import Attributes

RBAC = "rbac.authorization.k8s.io"


def rule(
    verbs: list[str],
    resources: list[str] | None = None,
    groups: list[str] | None = None,
    names: list[str] | None = None,
    urls: list[str] | None = None,
) -> dict[str, Any]:
    made: dict[str, Any] = {"verbs": verbs}
    if resources is not None:
        made |= {"apiGroups": [""] if groups is None else groups, "resources": resources}
    if names:
        made["resourceNames"] = names
    if urls:
        made["nonResourceURLs"] = urls
    return made


def role(name: str, *rules: dict[str, Any], namespace: str = "") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"metadata": metadata, "rules": list(rules)}


def user(name: str) -> dict[str, str]:
    return {"kind": "User", "apiGroup": RBAC, "name": name}


def group(name: str) -> dict[str, str]:
    return {"kind": "Group", "apiGroup": RBAC, "name": name}


def account(name: str, namespace: str = "") -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": name} | ({"namespace": namespace} if namespace else {})


def binding(
    name: str, role_name: str, *subjects: dict[str, str], namespace: str = "", kind: str = "ClusterRole"
) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role_name},
        "subjects": list(subjects),
    }


def ask(
    verb: str, resource: str = "", *, username: str = "alice", groups: tuple[str, ...] = (), **rest: Any
) -> Attributes:
    """A question about a resource ("pods", "pods/log"), or with path about a path."""
    if "path" in rest:
        return Attributes(username, groups, verb, resource_request=False, **rest)
    resource, _, subresource = resource.partition("/")
    return Attributes(username, groups, verb, resource=resource, subresource=subresource, **rest)
