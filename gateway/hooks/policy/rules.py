"""Builder of RBAC objects: rules, roles and bindings in few words.

Verbs, groups and resources are given as one string of words; they come out sorted and unique, the way
kube-apiserver's own rule builder leaves them (pkg/apis/rbac/v1/helpers.go), so that an object made here is equal to
the one a kube-apiserver stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

Object = dict[str, Any]
Rule = dict[str, list[str]]

RBAC: Final = "rbac.authorization.k8s.io"
API_VERSION: Final = f"{RBAC}/v1"

READ: Final = "get list watch"
WRITE: Final = "create update patch delete deletecollection"
READ_WRITE: Final = f"{READ} {WRITE}"
READ_UPDATE: Final = f"{READ} update patch"

BOOTSTRAP_LABEL: Final = "kubernetes.io/bootstrapping"
BOOTSTRAP_VALUE: Final = "rbac-defaults"
AUTOUPDATE: Final = "rbac.authorization.kubernetes.io/autoupdate"


def rule(verbs: str, groups: str, resources: str, names: str = "") -> Rule:
    """A rule over resources. The word `core` in groups is the group without a name."""
    built = {
        "verbs": _words(verbs),
        "apiGroups": sorted({"" if group == "core" else group for group in groups.split()}),
        "resources": _words(resources),
    }
    if names:
        built["resourceNames"] = _words(names)
    return built


def urls(verbs: str, paths: str) -> Rule:
    """A rule over paths that are no resources."""
    return {"verbs": _words(verbs), "nonResourceURLs": _words(paths)}


def events() -> Rule:
    """What everybody who reports events may do, in the old and in the new group."""
    return rule("create update patch", "core events.k8s.io", "events")


def cluster_role(name: str, *rules: Rule, labels: dict[str, str] | None = None) -> Object:
    """A ClusterRole with rules of its own."""
    return {
        "kind": "ClusterRole",
        "apiVersion": API_VERSION,
        "metadata": _metadata(name, labels=labels),
        "rules": list(rules),
    }


def aggregated_role(name: str, selected_by: str, labels: dict[str, str] | None = None) -> Object:
    """A ClusterRole whose rules the aggregation controller gathers from the roles with the label `selected_by`."""
    return {
        "kind": "ClusterRole",
        "apiVersion": API_VERSION,
        "metadata": _metadata(name, labels=labels),
        "rules": None,
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {selected_by: "true"}}]},
    }


def role(namespace: str, name: str, *rules: Rule) -> Object:
    """A Role in a reserved namespace."""
    return {
        "kind": "Role",
        "apiVersion": API_VERSION,
        "metadata": _metadata(name, namespace=namespace),
        "rules": list(rules),
    }


def user(name: str) -> dict[str, str]:
    """Subject: a user."""
    return {"kind": "User", "apiGroup": RBAC, "name": name}


def group(name: str) -> dict[str, str]:
    """Subject: a group."""
    return {"kind": "Group", "apiGroup": RBAC, "name": name}


def service_account(namespace: str, name: str) -> dict[str, str]:
    """Subject: a ServiceAccount."""
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def cluster_role_binding(role_name: str, *subjects: dict[str, str]) -> Object:
    """A ClusterRoleBinding named like the ClusterRole that it grants."""
    return {
        "kind": "ClusterRoleBinding",
        "apiVersion": API_VERSION,
        "metadata": _metadata(role_name),
        **_subjects(subjects),
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role_name},
    }


def role_binding(namespace: str, role_name: str, *subjects: dict[str, str], name: str = "") -> Object:
    """A RoleBinding to a Role of the same namespace, named like it unless `name` is given."""
    return {
        "kind": "RoleBinding",
        "apiVersion": API_VERSION,
        "metadata": _metadata(name or role_name, namespace=namespace),
        **_subjects(subjects),
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": role_name},
    }


def _words(text: str) -> list[str]:
    return sorted(set(text.split()))


def _subjects(subjects: Sequence[dict[str, str]]) -> Object:
    return {"subjects": list(subjects)} if subjects else {}


def _metadata(name: str, *, namespace: str = "", labels: dict[str, str] | None = None) -> Object:
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {BOOTSTRAP_LABEL: BOOTSTRAP_VALUE, **(labels or {})}
    metadata["annotations"] = {AUTOUPDATE: "true"}
    return metadata
