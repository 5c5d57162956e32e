"""Paths of the OpenAPI documents: which operations a resource has, and with which parameters and bodies.

`openapi` writes an `Operation` in the form of version 2 or 3. Clients read from here which kind a path speaks
(x-kubernetes-group-version-kind), what an operation does (x-kubernetes-action), whether strategic merge patches are
taken, and whether `fieldValidation` is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubehop.machinery.discovery import ServedResource, ServedSubresource

MEDIA_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
STREAM_TYPES = ("application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query or path parameter."""

    name: str
    type: str
    description: str
    place: str = "query"


def _query(name: str, kind: str, description: str) -> Parameter:
    return Parameter(name, kind, description)


NAME = Parameter("name", "string", "name of the object", "path")
NAMESPACE = Parameter("namespace", "string", "namespace of the object", "path")
PATH = Parameter("path", "string", "path to the resource", "path")
PRETTY = _query("pretty", "string", "If 'true', then the output is pretty printed.")
_DRY_RUN = _query("dryRun", "string", "'All': run every stage, keep nothing.")
_FIELD_MANAGER = _query("fieldManager", "string", "Name of the actor that makes the change.")
_FIELD_VALIDATION = _query("fieldValidation", "string", "Ignore, Warn or Strict: what unknown and double fields do.")
_FORCE = _query("force", "boolean", "Take over fields of other managers; for apply patches.")
_RESOURCE_VERSION = _query("resourceVersion", "string", "Which state of the collection may be served.")
_LIST = (
    _query("allowWatchBookmarks", "boolean", "Ask for events that only tell the resource version reached."),
    _query("continue", "string", "The token of the page before."),
    _query("fieldSelector", "string", "Keep objects by their fields."),
    _query("labelSelector", "string", "Keep objects by their labels."),
    _query("limit", "integer", "Objects in a page at most."),
    _RESOURCE_VERSION,
    _query("resourceVersionMatch", "string", "How resourceVersion is applied to a list."),
    _query("sendInitialEvents", "boolean", "Begin a watch with the present objects."),
    _query("timeoutSeconds", "integer", "How long the call may take."),
    _query("watch", "boolean", "Watch for changes instead of listing."),
)
_WRITE = (_DRY_RUN, _FIELD_MANAGER, _FIELD_VALIDATION)
_DELETE = (
    _DRY_RUN,
    _query("gracePeriodSeconds", "integer", "Seconds until the object is gone; 0 for at once."),
    _query("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean", "Delete what cannot be read."),
    _query("orphanDependents", "boolean", "Deprecated: use propagationPolicy."),
    _query("propagationPolicy", "string", "Orphan, Background or Foreground: what happens to dependents."),
)

DELETE_OPTIONS = ("meta.k8s.io", "v1", "DeleteOptions")
STATUS = ("meta.k8s.io", "v1", "Status")
PATCH = ("meta.k8s.io", "v1", "Patch")

GroupVersionKind = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path; `body` and `response` name the types, None where there is none or plain text."""

    method: str
    action: str
    identifier: str
    description: str
    kind: GroupVersionKind
    tag: str
    parameters: tuple[Parameter, ...] = ()
    body: GroupVersionKind | None = None
    response: GroupVersionKind | None = None
    statuses: tuple[int, ...] = (200,)


@dataclass(frozen=True, slots=True)
class PathItem:
    """A path, the parameters of all its methods, and the methods."""

    path: str
    parameters: tuple[Parameter, ...]
    operations: tuple[Operation, ...]


def path_items(row: ServedResource) -> Iterator[PathItem]:
    """Return the paths of a resource and its subresources."""
    base = f"/apis/{row.group}/{row.version}" if row.group else f"/api/{row.version}"
    scope = "/namespaces/{namespace}" if row.namespaced else ""
    shared = (NAMESPACE, PRETTY) if row.namespaced else (PRETTY,)
    names = _Names(row)
    if row.namespaced and "list" in row.verbs:
        yield PathItem(f"{base}/{row.name}", (PRETTY,), (_list(names, "ForAllNamespaces"),))
    collection = tuple(_collection(names))
    if collection:
        yield PathItem(f"{base}{scope}/{row.name}", shared, collection)
    item = tuple(_item(names))
    if item:
        yield PathItem(f"{base}{scope}/{row.name}/{{name}}", (NAME, *shared), item)
    for sub in row.subresources:
        path = f"{base}{scope}/{row.name}/{{name}}/{sub.name}"
        yield PathItem(path, (NAME, *shared), tuple(_subresource(names, sub)))
        if sub.name == "proxy":
            yield PathItem(path + "/{path}", (NAME, *shared, PATH), tuple(_subresource(names, sub, "WithPath")))


class _Names:
    """The words that a resource's operations are made of."""

    def __init__(self, row: ServedResource) -> None:
        self.row = row
        group = row.group.removesuffix(".k8s.io") or "core"
        self.group = "".join(part[:1].upper() + part[1:] for part in group.split("."))
        self.version = row.version[:1].upper() + row.version[1:]
        self.scope = "Namespaced" if row.namespaced else ""
        self.kind = (row.group, row.version, row.kind)
        self.list_kind = (row.group, row.version, row.kind + "List")
        self.tag = f"{group[:1].lower()}{self.group[1:]}_{row.version}"

    def identifier(self, verb: str, tail: str = "", middle: str = "") -> str:
        """Return an operation's identifier: `createAppsV1NamespacedDeployment`."""
        return f"{verb}{self.group}{self.version}{middle}{self.scope}{self.row.kind}{tail}"

    def all_namespaces(self) -> str:
        """Return the identifier of the list over all namespaces."""
        return f"list{self.group}{self.version}{self.row.kind}ForAllNamespaces"


def _list(names: _Names, tail: str = "") -> Operation:
    return Operation(
        "get",
        "list",
        names.all_namespaces() if tail else names.identifier("list"),
        f"list or watch objects of kind {names.row.kind}",
        names.kind,
        names.tag,
        _LIST,
        response=names.list_kind,
    )


def _create(names: _Names, kind: GroupVersionKind, tail: str = "", what: str = "") -> Operation:
    return Operation(
        "post",
        "post",
        names.identifier("create", tail),
        f"create {what}{'' if what else 'a'} {kind[2]}",
        kind,
        names.tag,
        _WRITE,
        body=kind,
        response=kind,
        statuses=(200, 201, 202),
    )


def _read(names: _Names, kind: GroupVersionKind, tail: str = "", what: str = "the specified") -> Operation:
    return Operation(
        "get",
        "get",
        names.identifier("read", tail),
        f"read {what} {kind[2]}",
        kind,
        names.tag,
        response=kind,
    )


def _replace(names: _Names, kind: GroupVersionKind, tail: str = "", what: str = "the specified") -> Operation:
    return Operation(
        "put",
        "put",
        names.identifier("replace", tail),
        f"replace {what} {kind[2]}",
        kind,
        names.tag,
        _WRITE,
        body=kind,
        response=kind,
        statuses=(200, 201),
    )


def _patch(names: _Names, kind: GroupVersionKind, tail: str = "", what: str = "the specified") -> Operation:
    return Operation(
        "patch",
        "patch",
        names.identifier("patch", tail),
        f"partially update {what} {kind[2]}",
        kind,
        names.tag,
        (*_WRITE, _FORCE),
        body=PATCH,
        response=kind,
        statuses=(200, 201),
    )


def _collection(names: _Names) -> Iterator[Operation]:
    verbs = names.row.verbs
    if "list" in verbs:
        yield _list(names)
    if "create" in verbs:
        yield _create(names, names.kind)
    if "deletecollection" in verbs:
        yield Operation(
            "delete",
            "deletecollection",
            names.identifier("delete", middle="Collection"),
            f"delete collection of {names.row.kind}",
            names.kind,
            names.tag,
            (*_DELETE, *(one for one in _LIST if one.name not in ("allowWatchBookmarks", "watch"))),
            body=DELETE_OPTIONS,
            response=STATUS,
        )


def _item(names: _Names) -> Iterator[Operation]:
    verbs = names.row.verbs
    if "get" in verbs:
        yield _read(names, names.kind)
    if "update" in verbs:
        yield _replace(names, names.kind)
    if "patch" in verbs:
        yield _patch(names, names.kind)
    if "delete" in verbs:
        yield Operation(
            "delete",
            "delete",
            names.identifier("delete"),
            f"delete a {names.row.kind}",
            names.kind,
            names.tag,
            _DELETE,
            body=DELETE_OPTIONS,
            response=STATUS,
            statuses=(200, 202),
        )


_CONNECT = {"get": "get", "create": "post", "update": "put", "patch": "patch", "delete": "delete"}


def _subresource(names: _Names, sub: ServedSubresource, suffix: str = "") -> Iterator[Operation]:
    kind = (sub.group or names.row.group, sub.version or names.row.version, sub.kind)
    tail = sub.name[:1].upper() + sub.name[1:] + suffix
    if sub.kind.endswith("Options"):
        for verb, method in _CONNECT.items():
            if verb in sub.verbs:
                yield Operation(
                    method,
                    "connect",
                    names.identifier("connect", tail, method.capitalize()),
                    f"connect {method.upper()} requests to {sub.name} of {names.row.kind}",
                    kind,
                    names.tag,
                )
        return
    what = f"{sub.name} of the specified"
    if "get" in sub.verbs:
        yield _read(names, kind, tail, what)
    if "create" in sub.verbs:
        yield _create(names, kind, tail, f"{sub.name} of a")
    if "update" in sub.verbs:
        yield _replace(names, kind, tail, what)
    if "patch" in sub.verbs:
        yield _patch(names, kind, tail, what)
