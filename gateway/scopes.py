"""What a resource request is about, with its row of the catalogue found: the first thing that every verb reads.

`gateway.routing` makes a Scope from RequestInfo, or raises what kube-apiserver's router would answer: 404 where no
route has such a path, 405 where one has but not for the method.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from kubehop.kinds import catalogue
from kubehop.kinds.resource import Resource, Subresource
from kubehop.machinery import status
from kubehop.machinery.objects import GroupVersionKind
from kubehop.machinery.request_info import RequestInfo
from kubehop.pb.storage.v1 import Key

COLLECTION, OBJECT, SUBRESOURCE = 1, 2, 3
"""How many parts a path has from the resource on."""

_OBJECT_ACTIONS = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_COLLECTION_ACTIONS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_SUBRESOURCE_ACTIONS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Scope(NamedTuple):
    """A routed resource request."""

    action: str
    """get, list, watch, create, update, patch, delete or deletecollection: what is to be done."""
    resource: Resource
    subresource: Subresource | None
    namespace: str
    """Namespace of the objects; "" for cluster-scoped ones and for all namespaces."""
    name: str
    """Name of the object; "" for collections."""

    @property
    def kind(self) -> GroupVersionKind:
        """Type that requests and answers of this path have."""
        resource, sub = self.resource, self.subresource
        if sub is None:
            return GroupVersionKind(resource.group, resource.version, resource.kind)
        if sub.version:
            return GroupVersionKind(sub.group, sub.version, sub.kind)
        return GroupVersionKind(resource.group, resource.version, sub.kind)

    @property
    def subresource_name(self) -> str:
        """Name of the subresource, "" for the object itself."""
        return self.subresource.name if self.subresource else ""

    def collection_key(self, selected: str) -> Key:
        """Return the key of the collection, narrowed to one object where the selector names it and its place."""
        known = bool(self.namespace) or not self.resource.namespaced
        return self.key(selected if known else "")

    def key(self, name: str | None = None) -> Key:
        """Return the key of the object (or of another one, by name), in the store's terms."""
        resource = self.resource
        return Key(
            group=resource.storage_group,
            resource=resource.name,
            namespace=self.namespace if resource.namespaced else "",
            name=self.name if name is None else name,
        )


def route(method: str, info: RequestInfo) -> Scope:
    """Return the scope of a request. Raises 404 and 405 as kube-apiserver's router answers them."""
    scope = _route(
        method,
        info.verb,
        info.api_group,
        info.api_version,
        info.resource,
        info.subresource,
        info.namespace,
        len(info.parts),
    )
    if scope is None:
        raise status.generic_server_response(404)
    action, resource, subresource, namespace = scope
    if resource.name == "namespaces" and len(info.parts) > COLLECTION and info.namespace != info.name:
        raise status.generic_server_response(404)  # /namespaces/a/namespaces/b
    if not action:
        raise status.generic_server_response(405)
    name = info.name if len(info.parts) > COLLECTION else ""
    return Scope(action, resource, subresource, namespace, name)


@lru_cache(maxsize=2048)
def _route(
    method: str, verb: str, group: str, version: str, name: str, subresource_name: str, namespace: str, depth: int
) -> tuple[str, Resource, Subresource | None, str] | None:
    """Return action ("" where the method is not allowed), rows and namespace; None where there is no such path."""
    resource = catalogue.lookup(group, version, name)
    if resource is None or depth > SUBRESOURCE or verb == "proxy":
        return None
    if not resource.namespaced:
        if namespace and (name != "namespaces" or depth == COLLECTION):
            return None
        namespace = ""
    subresource = None
    if depth == SUBRESOURCE:
        subresource = resource.subresource(subresource_name)
        if subresource is None or (resource.namespaced and not namespace):
            return None
        allowed, actions = subresource.verbs, _SUBRESOURCE_ACTIONS
    elif depth == OBJECT:
        if resource.namespaced and not namespace:
            return None
        allowed, actions = resource.verbs, _OBJECT_ACTIONS
    elif resource.namespaced and not namespace:
        allowed, actions = resource.verbs, {"GET": "list"}
    else:
        allowed, actions = resource.verbs, _COLLECTION_ACTIONS
    if verb == "watch":  # by the parameter on a collection, or by the old path on either
        return ("watch" if method == "GET" and "watch" in allowed else ""), resource, subresource, namespace
    if not any(action in allowed for action in actions.values()):
        return None
    action = actions.get(method, "")
    return (action if action in allowed else ""), resource, subresource, namespace
