"""The end of the chain: from what a request asks for to the function that answers it.

Composed once at start by `gateway.__main__`. Two short tables: paths to endpoints, and actions on resources to verbs.
What neither knows is answered as kube-apiserver's two routers do: a Status inside the API, plain text outside.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from gateway.answers import Answer, page_not_found
from gateway.context import RequestContext
from gateway.negotiating import check_accept
from gateway.scopes import Scope, route
from kubehop.kinds import catalogue
from kubehop.machinery import status

Endpoint = Callable[[RequestContext], Awaitable[Answer]]
Verb = Callable[[RequestContext, Scope], Awaitable[Answer]]
_DEPRECATED = {
    ("", "v1", "componentstatuses"): "v1 ComponentStatus is deprecated in v1.19+",
    ("", "v1", "endpoints"): "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}
"""What clients of old resources are told at every request (the APILifecycle of their Go types)."""
_CONNECTED = frozenset({"log"})
"""Subresources that speak of their object's kind and are streams all the same."""

Special = tuple[str, str, str]
"""Group, resource and subresource of what is not kept in the store, or kept in another way."""


class Router:
    """Finds who answers."""

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        verbs: Mapping[str, Verb],
        specials: Mapping[Special, Mapping[str, Verb]],
    ) -> None:
        """`endpoints` are by first path segment, `verbs` by action, `specials` override verbs for single resources."""
        self._endpoints = endpoints
        self._verbs = verbs
        self._specials = specials

    async def __call__(self, request: RequestContext) -> Answer:
        """Answer a request that has passed the filters."""
        info = request.info
        if info.is_resource_request:
            if info.api_group and not catalogue.versions(info.api_group):
                return page_not_found()
            scope = route(request.method, info)
            check_accept(request, scope)
            resource = scope.resource
            if (warning := _DEPRECATED.get((resource.group, resource.version, resource.name))) is not None:
                request.add_warning(warning)
            return await self._verb(scope)(request, scope)
        endpoint = self._endpoints.get(request.path.strip("/").partition("/")[0])
        return page_not_found() if endpoint is None else await endpoint(request)

    def _verb(self, scope: Scope) -> Verb:
        resource, sub = scope.resource, scope.subresource
        special = self._specials.get((resource.group, resource.name, scope.subresource_name))
        if special is not None and (verb := special.get(scope.action)) is not None:
            return verb
        if not resource.stored or (sub is not None and (sub.kind != resource.kind or sub.name in _CONNECTED)):
            raise status.generic_server_response(405)  # served by others, or not served yet
        verb = self._verbs.get(scope.action)
        if verb is None:
            raise status.generic_server_response(405)
        return verb
