"""Which form of an answer a client accepts: media type, indentation, and Table or metadata only.

Verbs call `negotiate` before they do anything, so that a client that accepts nothing changes nothing. The rules are
`kubehop.machinery.negotiation`; here they meet the request. The plain case, compact JSON as stored, is found without
parsing anything.
"""

from __future__ import annotations

from typing import Final

from gateway.context import RequestContext
from gateway.scopes import Scope
from kubehop.machinery import negotiation
from kubehop.machinery.negotiation import JSON, Accepted, Restrictions

PLAIN: Final = Accepted()
"""Compact JSON, untransformed: what most clients ask for."""
_PLAIN_ACCEPTS = frozenset({"", "*/*", JSON, "application/json, */*"})
_PEOPLE = ("curl", "Wget", "Mozilla/5.0")


def check_accept(request: RequestContext, scope: Scope) -> None:
    """Refuse with 406 what the router of kube-apiserver refuses, which looks at media types alone."""
    accept = accept_of(request)
    if accept in _PLAIN_ACCEPTS:
        return
    listing = scope.action in ("list", "watch")
    negotiation.route_accepts(accept, negotiation.LIST_MEDIA_TYPES if listing else negotiation.MEDIA_TYPES)


def negotiate(request: RequestContext, restrictions: Restrictions = negotiation.RESOURCES) -> Accepted:
    """Return the form to answer in. Raises 406."""
    accept = accept_of(request)
    user_agent = request.headers.get("User-Agent") or ""
    if accept in _PLAIN_ACCEPTS and "pretty" not in request.query_string and not user_agent.startswith(_PEOPLE):
        return PLAIN
    return negotiation.negotiate(accept, restrictions, pretty=request.query.get("pretty", ""), user_agent=user_agent)


def accept_of(request: RequestContext) -> str:
    """Return the Accept header; the first one counts, as Go's Header.Get has it."""
    return request.headers.get("Accept") or ""
