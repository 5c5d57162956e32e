"""Where objects live in etcd: the key layout of kube-apiserver, so that a stock one reads the same store.

The servicer turns the contract's `Key` into a `Place` here; everything behind works on its strings.

Sources of the layout: kubernetes/kubernetes pkg/kubeapiserver/default_storage_factory_builder.go (the special prefixes
and the resources that live together), and test/integration/etcd/data.go (the expected path of every kind).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, NewType

from services.storage.errors import InvalidError

StoreKey = NewType("StoreKey", str)
"""Full key of one object, "/registry/pods/default/web"."""
Prefix = NewType("Prefix", str)
"""Start that all the keys of a collection share; ends in "/"."""

# groups served by kube-apiserver itself: their resources are kept without the group in the key
BUILT_IN_GROUPS: Final = frozenset(
    {
        "",
        "admissionregistration.k8s.io",
        "apps",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "extensions",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
# served by the apiextensions and aggregator servers inside kube-apiserver, which keep the group in the key
GROUPED: Final = frozenset({"apiextensions.k8s.io", "apiregistration.k8s.io"})

SPECIAL_PREFIXES: Final = {
    ("", "replicationcontrollers"): "controllers",
    ("extensions", "replicationcontrollers"): "controllers",
    ("", "endpoints"): "services/endpoints",
    ("", "nodes"): "minions",
    ("", "services"): "services/specs",
    ("", "rangeallocations"): "ranges",
    ("extensions", "ingresses"): "ingress",
    ("networking.k8s.io", "ingresses"): "ingress",
}

IsBuiltIn = Callable[[str, str], bool]
"""Whether (group, resource) is a kind of kube-apiserver's own, and not a custom resource."""


def in_catalogue(group: str, resource: str) -> bool:
    """Whether kubehop's catalogue of built-in kinds holds the resource.

    Asked only for groups that are kube-apiserver's own: a definition may add a custom resource even there.
    """
    from kubehop.kinds import catalogue

    return catalogue.storage_resource(group, resource) is not None


class Place(NamedTuple):
    """A collection or one object in the key space."""

    resource_prefix: Prefix
    """All namespaces of the resource, "/registry/pods/"."""
    prefix: Prefix
    """The collection asked for, "/registry/pods/default/"; the same as resource_prefix without a namespace."""
    key: StoreKey | None
    """The object; None when the request names a collection."""
    built_in: bool
    """Whether it is a kind of kube-apiserver's own: lists of those leave kind and apiVersion out of the items."""


class KeyLayout:
    """Computes places below one root (etcd prefix), "/registry" unless configured."""

    def __init__(self, root: str = "/registry", is_built_in: IsBuiltIn = in_catalogue) -> None:
        self.root = Prefix("/" + root.strip("/") + "/")
        self._is_built_in = is_built_in
        # a few hundred resources exist; clients that probe for others must not fill the memory
        self._resource_prefix = lru_cache(maxsize=4096)(self._find_resource_prefix)

    def place(self, group: str, resource: str, namespace: str, name: str) -> Place:
        """Find where a key of the contract lives.

        Raises:
            InvalidError: a part is empty where it must not be, or would lead out of its collection.
        """
        if "/" in namespace or "/" in name or name in (".", "..") or namespace in (".", ".."):
            raise InvalidError(f"invalid key: namespace {namespace!r}, name {name!r}")
        resource_prefix, built_in = self._resource_prefix(group, resource)
        prefix = Prefix(f"{resource_prefix}{namespace}/") if namespace else resource_prefix
        return Place(resource_prefix, prefix, StoreKey(prefix + name) if name else None, built_in)

    def _find_resource_prefix(self, group: str, resource: str) -> tuple[Prefix, bool]:
        if not resource or "/" in resource or "/" in group or resource in (".", "..") or group in (".", ".."):
            raise InvalidError(f"invalid key: group {group!r}, resource {resource!r}")
        special = SPECIAL_PREFIXES.get((group, resource))
        if special is not None:
            return Prefix(f"{self.root}{special}/"), True
        if group in GROUPED:
            return Prefix(f"{self.root}{group}/{resource}/"), True
        if group in BUILT_IN_GROUPS and self._is_built_in(group, resource):
            return Prefix(f"{self.root}{resource}/"), True
        if not group:
            raise InvalidError(f"no resource {resource!r} in the core group")
        return Prefix(f"{self.root}{group}/{resource}/"), False


def end_of(prefix: str) -> str:
    """First key behind everything that starts with the prefix (which ends in "/")."""
    return prefix[:-1] + "0"


def split(key: str, resource_prefix: str) -> tuple[str, str]:
    """(namespace, name) of an object of the resource."""
    namespace, _, name = key[len(resource_prefix) :].rpartition("/")
    return namespace, name
