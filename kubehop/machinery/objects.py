"""Kubernetes objects as plain JSON values, with the few accessors that everybody needs.

Called by every other module of the machinery, by kinds and by the stages. An object is what `orjson.loads` gives:
dicts, lists, strings, ints, floats, booleans and None; nothing here copies unless it says so.
"""

import marshal
from collections.abc import Mapping
from typing import Any, NamedTuple

Object = dict[str, Any]
"""One Kubernetes object (or a part of one) as decoded from JSON."""

META_GROUP = "meta.k8s.io"
"""The group of Status, Table, options and other types that belong to no API group."""


class GroupVersion(NamedTuple):
    """An API group and one of its versions; the group of the legacy API is the empty string."""

    group: str
    version: str

    def __str__(self) -> str:
        """`apps/v1`, or `v1` in the legacy group: the form of an apiVersion."""
        return f"{self.group}/{self.version}" if self.group else self.version


class GroupVersionKind(NamedTuple):
    """The full type of an object."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """The apiVersion that objects of this type carry."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        """`apps/v1, Kind=Deployment`, as apimachinery prints a GroupVersionKind in messages."""
        return f"{self.group}/{self.version}, Kind={self.kind}"


def parse_group_version(api_version: str) -> GroupVersion:
    """Split an apiVersion; ValueError with apimachinery's words when it has more than one slash.

    Mirrors apimachinery `schema.ParseGroupVersion`: "" and "/" are the empty group and version.
    """
    if api_version in {"", "/"}:
        return GroupVersion("", "")
    group, slash, version = api_version.partition("/")
    if not slash:
        return GroupVersion("", group)
    if "/" in version:
        raise ValueError(f"unexpected GroupVersion string: {api_version}")
    return GroupVersion(group, version)


def group_resource(group: str, resource: str) -> str:
    """`deployments.apps`, or `pods` in the legacy group: how messages name a resource or kind."""
    return f"{resource}.{group}" if group else resource


def type_of(obj: Mapping[str, Any]) -> GroupVersionKind:
    """The type that an object states; empty strings for what it leaves out. ValueError for a malformed apiVersion."""
    group, version = parse_group_version(string(obj, "apiVersion"))
    return GroupVersionKind(group, version, string(obj, "kind"))


def string(obj: Mapping[str, Any], key: str) -> str:
    """A string member, or "" where it is absent or is not a string."""
    value = obj.get(key)
    return value if isinstance(value, str) else ""


def metadata(obj: Mapping[str, Any]) -> Object:
    """The metadata of an object for reading: an empty dict (not attached) where there is none."""
    meta = obj.get("metadata")
    return meta if isinstance(meta, dict) else {}


def ensure_metadata(obj: Object) -> Object:
    """The metadata of an object for writing: attached, and created where there was none."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict):
        meta = obj["metadata"] = {}
    return meta


def name(obj: Mapping[str, Any]) -> str:
    """metadata.name, or ""."""
    return string(metadata(obj), "name")


def namespace(obj: Mapping[str, Any]) -> str:
    """metadata.namespace, or "" for an object of the cluster."""
    return string(metadata(obj), "namespace")


def uid(obj: Mapping[str, Any]) -> str:
    """metadata.uid, or ""."""
    return string(metadata(obj), "uid")


def resource_version(obj: Mapping[str, Any]) -> str:
    """metadata.resourceVersion, or ""."""
    return string(metadata(obj), "resourceVersion")


def labels(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """metadata.labels, or an empty mapping."""
    return metadata(obj).get("labels") or {}


def annotations(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """metadata.annotations, or an empty mapping."""
    return metadata(obj).get("annotations") or {}


def is_list(obj: Mapping[str, Any]) -> bool:
    """Whether a decoded object is a list of objects: its kind says so and it has items."""
    return string(obj, "kind").endswith("List") and isinstance(obj.get("items"), list)


def deep_copy(obj: Object) -> Object:
    """A copy that shares nothing with the original; JSON values only.

    marshal is several times as fast as copy.deepcopy and takes every JSON value, integers of any size included.
    """
    copy: Object = marshal.loads(marshal.dumps(obj))  # noqa: S302 - our own bytes, never a peer's
    return copy


def deep_copy_value(value: Any) -> Any:
    """`deep_copy` for any JSON value; scalars are returned as they are."""
    if isinstance(value, (dict, list)):
        return marshal.loads(marshal.dumps(value))  # noqa: S302 - our own bytes, never a peer's
    return value


def nested(obj: Mapping[str, Any], *path: str) -> Any:
    """The value at a path of members, or None as soon as a step is missing or is no mapping."""
    value: Any = obj
    for step in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value
