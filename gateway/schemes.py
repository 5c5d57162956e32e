"""Which kinds can be read from a body, and in which versions: kube-apiserver's legacy scheme.

Decoding asks it about bodies, field management about versions. Kinds that are not served any more are still known by
name, so that a body in an old version is told which version is expected.
"""

from __future__ import annotations

from functools import cache, lru_cache

from kubehop.kinds import catalogue, convert
from kubehop.kinds.resource import Resource
from kubehop.kinds.schemas import schema_for
from kubehop.kinds.strategy import strategy_for
from kubehop.machinery import decoding
from kubehop.machinery.objects import GroupVersionKind, Object, parse_group_version
from kubehop.machinery.schema import Schema, anything

LEGACY_SCHEME = "pkg/api/legacyscheme/scheme.go:30"
META_SCHEME = "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"

_RETIRED = {
    ("apps", "v1beta1"): {"ControllerRevision", "Deployment", "Scale", "StatefulSet"},
    ("apps", "v1beta2"): {"ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "Scale", "StatefulSet"},
    ("extensions", "v1beta1"): {"DaemonSet", "Deployment", "Ingress", "NetworkPolicy", "ReplicaSet", "Scale"},
    ("autoscaling", "v2beta1"): {"HorizontalPodAutoscaler"},
    ("autoscaling", "v2beta2"): {"HorizontalPodAutoscaler"},
    ("batch", "v1beta1"): {"CronJob"},
    ("certificates.k8s.io", "v1beta1"): {"CertificateSigningRequest"},
    ("coordination.k8s.io", "v1beta1"): {"Lease"},
    ("discovery.k8s.io", "v1beta1"): {"EndpointSlice"},
    ("events.k8s.io", "v1beta1"): {"Event"},
    ("flowcontrol.apiserver.k8s.io", "v1beta1"): {"FlowSchema", "PriorityLevelConfiguration"},
    ("flowcontrol.apiserver.k8s.io", "v1beta2"): {"FlowSchema", "PriorityLevelConfiguration"},
    ("flowcontrol.apiserver.k8s.io", "v1beta3"): {"FlowSchema", "PriorityLevelConfiguration"},
    ("networking.k8s.io", "v1beta1"): {"Ingress", "IngressClass"},
    ("node.k8s.io", "v1beta1"): {"RuntimeClass"},
    ("policy", "v1beta1"): {"Eviction", "PodDisruptionBudget"},
    ("rbac.authorization.k8s.io", "v1alpha1"): {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"},
    ("rbac.authorization.k8s.io", "v1beta1"): {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"},
    ("scheduling.k8s.io", "v1beta1"): {"PriorityClass"},
    ("storage.k8s.io", "v1beta1"): {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"},
}
"""Versions that the scheme of v1.36 still registers and the server does not serve by default."""
_COMMON = frozenset({"DeleteOptions", "CreateOptions", "UpdateOptions", "PatchOptions", "GetOptions", "ListOptions",
                     "WatchEvent", "Status", "List"})  # fmt: skip
"""Kinds that are registered in every group."""
_SPLIT = {("extensions", "Ingress"): "networking.k8s.io", ("extensions", "NetworkPolicy"): "networking.k8s.io"}


class LegacyScheme:
    """The kinds of the built-in groups."""

    name = LEGACY_SCHEME

    def schema(self, group: str, version: str, kind: str) -> Schema | None:
        """Return the schema of a kind that can be read, None for one that nobody knows."""
        return _schema(group, version, kind)

    def convertible(self, actual: GroupVersionKind, expected: GroupVersionKind) -> bool:
        """Say whether both are versions of the same kind."""
        return _family(actual) == _family(expected)


class MetaScheme:
    """The options that belong to all groups."""

    name = META_SCHEME

    def schema(self, group: str, version: str, kind: str) -> Schema | None:
        """Return the schema of an options kind; any group's version will do, as old clients send theirs."""
        known = group == "meta.k8s.io" or bool(catalogue.versions(group)) or (group == "" and version == "v1")
        if not known or kind not in _COMMON or kind in ("List", "WatchEvent", "Status"):
            return None
        return schema_for("meta.k8s.io", "v1", kind)

    def convertible(self, actual: GroupVersionKind, expected: GroupVersionKind) -> bool:
        """Say whether both are the same options."""
        return actual.kind == expected.kind


@lru_cache(maxsize=512)
def _schema(group: str, version: str, kind: str) -> Schema | None:
    try:
        return schema_for(group, version, kind)
    except KeyError:
        pass
    if kind in _RETIRED.get((group, version), ()):
        return anything()
    served = version in catalogue.versions(group)
    if served and (kind in _COMMON or (kind.endswith("List") and catalogue.lookup_kind(group, version, kind[:-4]))):
        return anything()
    return None


def _family(kind: GroupVersionKind) -> tuple[str, str]:
    """Return what all versions of a kind have in common: the group and kind of its internal type."""
    group = kind.group
    if group == "extensions":
        group = _SPLIT.get((group, kind.kind), "apps")
    if kind.kind == "Event":
        group = ""
    if kind.kind == "Scale":
        group = "autoscaling"
    return group, kind.kind


class Versions:
    """The versions of one kind, for field management."""

    def __init__(self, resource: Resource, kind: GroupVersionKind) -> None:
        self._resource = resource
        self._kind = kind

    def schema(self, version: str) -> Schema | None:
        """Return the schema of the kind in an apiVersion, None where that is not served any more."""
        group, number = parse_group_version(version)
        if version == self._kind.api_version:
            return _schema(*self._kind)
        return (
            _schema(group, number, self._kind.kind) if catalogue.lookup_kind(group, number, self._kind.kind) else None
        )

    def convert(self, obj: Object, version: str) -> Object:
        """Return the object in an apiVersion."""
        if obj.get("apiVersion") == version:
            return obj
        return convert.to_version(obj, self._resource, version)


class Finisher:
    """Gives an object of one kind its normal form: fields that the schema knows, defaults filled in."""

    def __init__(self, resource: Resource, kind: GroupVersionKind) -> None:
        self._strategy = strategy_for(resource) if kind.kind == resource.kind else None
        self._kind = kind
        self.schema = schema_for(kind.group, kind.version, kind.kind)

    def __call__(self, obj: Object) -> Object:
        """Return the normal form of an object that came out of a merge."""
        made: Object = decoding.restore_value(self.schema, obj).value
        made = decoding.with_type(made, self._kind)
        if self._strategy is not None:
            self._strategy.default(made)
        return made


@cache
def finisher(resource: Resource, kind: GroupVersionKind) -> Finisher:
    """Return what gives objects of a kind their normal form."""
    return Finisher(resource, kind)
