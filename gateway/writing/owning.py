"""Who owns which field: metadata.managedFields kept on every write.

Called by the pipelines beside this module, before admission as in kube-apiserver; the rules are
`kubehop.machinery.apply`.
"""

from __future__ import annotations

from functools import lru_cache

from gateway.context import RequestContext
from gateway.schemes import Versions, finisher
from gateway.scopes import Scope
from kubehop.kinds.resource import Resource
from kubehop.kinds.strategy import strategy_for
from kubehop.machinery.apply.fieldsets import from_paths
from kubehop.machinery.apply.manager import FieldManager
from kubehop.machinery.metadata import MAX_FIELD_MANAGER
from kubehop.machinery.objects import GroupVersionKind, Object


def field_manager(scope: Scope) -> FieldManager:
    """Return the field management of what a path writes."""
    return _field_manager(scope.resource, scope.kind, scope.subresource_name)


@lru_cache(maxsize=512)
def _field_manager(resource: Resource, kind: GroupVersionKind, subresource: str) -> FieldManager:
    resets = strategy_for(resource).reset_fields(subresource)
    fields = from_paths([tuple(f"f:{step}" for step in path) for path in resets])
    return FieldManager(
        kind,
        Versions(resource, kind),
        {kind.api_version: fields} if resets else {},
        subresource,
        finisher(resource, kind),
    )


def manager_name(request: RequestContext, given: str) -> str:
    """Return who writes: the fieldManager option, else the first part of the User-Agent (managerOrUserAgent)."""
    if given:
        return given
    name, size = [], 0
    for char in (request.headers.get("User-Agent") or "").partition("/")[0]:
        if not char.isprintable():
            continue
        size += len(char.encode("utf-8", "surrogateescape"))
        if size > MAX_FIELD_MANAGER:
            break
        name.append(char)
    return "".join(name)


def keep_times_of_unchanged(new: Object, old: Object) -> None:
    """Take the old managedFields where nothing but their times has changed. Changes the new object.

    Without it every repeated apply would be a write (fieldmanager.IgnoreManagedFieldsTimestampsTransformer).
    """
    entries, before = new["metadata"].get("managedFields"), (old.get("metadata") or {}).get("managedFields")
    if not entries or not before or len(entries) != len(before):
        return
    if all(_timeless(one) == _timeless(other) for one, other in zip(entries, before, strict=True)):
        ignored = ("managedFields", "resourceVersion")
        if _without(new, ignored) == _without(old, ignored):
            new["metadata"]["managedFields"] = before


def _timeless(entry: Object) -> Object:
    return {key: value for key, value in entry.items() if key != "time"}


def _without(obj: Object, keys: tuple[str, ...]) -> Object:
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in keys}
    return {**obj, "metadata": metadata}
