"""The row that describes one served resource, and its subresources.

Each group's package writes its rows with `served` and `sub`; the catalogue collects them. Discovery documents, the
gateway's routes, the storage keys and field selectors are all read from these rows.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
FieldPath = tuple[str | int, ...]

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")
PROXY_VERBS = ("create", "delete", "get", "patch", "update")
CONNECT_VERBS = ("create", "get")
CREATE_ONLY = ("create",)

_NAME = "metadata.name"
_NAMESPACE = "metadata.namespace"


@dataclass(frozen=True, slots=True)
class SelectableField:
    """A field that `fieldSelector` may name.

    `paths` are tried in order on the stored object, the first that is not empty counts; booleans and numbers become
    text as Go prints them, and an absent value is `default`. A label that only stands for another one (`spec.host`,
    or `regarding.name` of events.k8s.io) has `stored_as` instead of paths.
    """

    label: str
    paths: tuple[FieldPath, ...] = ()
    default: str = ""
    stored_as: str = ""

    def value(self, obj: Mapping[str, Any]) -> str:
        """Return the field's text in a stored object."""
        for path in self.paths:
            text = _text(_walk(obj, path))
            if text:
                return text
        return self.default


def selectable(label: str, *paths: str, default: str = "", stored_as: str = "") -> SelectableField:
    """Declare a selectable field; without paths the label itself is the path, a number in a path is a list index."""
    if stored_as:
        return SelectableField(label, (), default, stored_as)
    return SelectableField(label, tuple(_parse_path(path) for path in (paths or (label,))), default)


@dataclass(frozen=True, slots=True)
class Subresource:
    """One subresource: its name without the parent's, the kind it speaks, and its verbs.

    `group` and `version` are those of the kind where it differs from the parent's (Scale, Eviction, TokenRequest),
    else empty, as discovery shows them.
    """

    name: str
    kind: str
    verbs: tuple[str, ...] = STATUS_VERBS
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of one served group and version.

    `storage_group` and `storage_version` name the version that is kept in the store (`storage_version` is empty for
    resources that are never stored, such as reviews); `storage_prefix` is the part of the key below the registry.
    """

    group: str
    version: str
    name: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...] = ALL_VERBS
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    storage_group: str = ""
    storage_version: str = ""
    storage_version_hash: str = ""
    storage_prefix: str = ""
    selectable_fields: tuple[SelectableField, ...] = ()
    field_label_error: str = ""
    home: str = ""
    _subresources: Mapping[str, Subresource] = field(default_factory=dict, repr=False, compare=False)

    @property
    def list_kind(self) -> str:
        """The kind of a list of these objects."""
        return self.kind + "List"

    @property
    def api_version(self) -> str:
        """`apiVersion` as it stands in objects: "v1", "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def storage_api_version(self) -> str:
        """`apiVersion` of the stored form; empty for what is never stored."""
        return f"{self.storage_group}/{self.storage_version}" if self.storage_group else self.storage_version

    @property
    def stored(self) -> bool:
        """Whether objects of it are kept in the store."""
        return bool(self.storage_version)

    @property
    def has_status(self) -> bool:
        """Whether its status is written through a subresource of its own."""
        return "status" in self._subresources

    def subresource(self, name: str) -> Subresource | None:
        """Return the subresource of that name."""
        return self._subresources.get(name)

    def convert_field_label(self, label: str) -> str:
        """Return the label under which the store knows a selectable field.

        Raises ValueError with kube-apiserver's message (runtime.Scheme.ConvertFieldLabel) where the resource does not
        support the field.
        """
        if not self.field_label_error:
            if label in (_NAME, _NAMESPACE):
                return label
            raise ValueError(f'"{label}" is not a known field selector: only "{_NAME}", "{_NAMESPACE}"')
        if label == _NAME or (label == _NAMESPACE and self.namespaced):
            return label
        for candidate in self.selectable_fields:
            if candidate.label == label:
                return candidate.stored_as or label
        raise ValueError(self.field_label_error.replace("%q", f'"{label}"').replace("%s", label))

    def field_values(self, obj: Mapping[str, Any]) -> dict[str, str]:
        """Return the text of every selectable field of a stored object, by stored label."""
        metadata = obj.get("metadata") or {}
        values = {_NAME: metadata.get("name") or ""}
        if self.namespaced:
            values[_NAMESPACE] = metadata.get("namespace") or ""
        for candidate in self.selectable_fields:
            if candidate.paths:
                values[candidate.label] = candidate.value(obj)
        return values


UNSUPPORTED_LABEL = "field label not supported: %s"


def served(
    group: str,
    version: str,
    name: str,
    kind: str,
    *,
    namespaced: bool,
    home: str,
    singular: str = "",
    verbs: tuple[str, ...] = ALL_VERBS,
    short_names: tuple[str, ...] = (),
    categories: tuple[str, ...] = (),
    subresources: tuple[Subresource, ...] = (),
    stored: bool = True,
    storage: tuple[str, str] | None = None,
    storage_prefix: str = "",
    fields: tuple[SelectableField, ...] = (),
    field_label_error: str = "",
) -> Resource:
    """Make a row, deriving what Kubernetes derives: the singular, the storage version's hash, the storage prefix.

    `storage` is the group and version kept in the store where they are not the row's own. `home` is the group's
    package below `kubehop.kinds`. Hash: apiserver pkg/endpoints/discovery/storageversionhash.go.
    """
    storage_group, storage_version = storage or (group, version)
    return Resource(
        group=group,
        version=version,
        name=name,
        singular=singular or kind.lower(),
        kind=kind,
        namespaced=namespaced,
        verbs=verbs,
        short_names=short_names,
        categories=categories,
        subresources=subresources,
        storage_group=storage_group if stored else "",
        storage_version=storage_version if stored else "",
        storage_version_hash=_storage_version_hash(storage_group, storage_version, kind) if stored else "",
        storage_prefix=(storage_prefix or name) if stored else "",
        selectable_fields=fields,
        field_label_error=field_label_error or (UNSUPPORTED_LABEL if fields else ""),
        home=home,
        _subresources={subresource.name: subresource for subresource in subresources},
    )


def status(kind: str) -> Subresource:
    """Return the `status` subresource of a kind."""
    return Subresource("status", kind)


SCALE = Subresource("scale", "Scale", group="autoscaling", version="v1")


def _storage_version_hash(group: str, version: str, kind: str) -> str:
    return base64.b64encode(hashlib.sha256(f"{group}/{version}/{kind}".encode()).digest()[:8]).decode()


def _parse_path(path: str) -> FieldPath:
    return tuple(int(part) if part.isdigit() else part for part in path.split("."))


def _walk(value: Any, path: FieldPath) -> Any:
    for part in path:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and len(value) > part else None
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None:
            return None
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
