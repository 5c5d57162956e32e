"""GET of one object: straight from storage to the client where it speaks the stored version.

As apiserver pkg/endpoints/handlers/get.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.forms import check_form, object_answer
from gateway.negotiating import PLAIN, negotiate
from gateway.scopes import Scope
from gateway.verbs.selecting import check_version
from gateway.verbs.tools import Tools
from kubehop.machinery import status
from kubehop.machinery.request_info import parse_bool

if TYPE_CHECKING:
    from gateway.routing import Verb


def verb(tools: Tools) -> Verb:
    """Return the verb."""
    storage = tools.backends.storage

    async def get(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        if accepted is not PLAIN:
            check_form(request, scope, accepted, listing=False)
        version = ""
        if request.query_string:
            version = request.query.get("resourceVersion", "")
            if version:
                check_version(version)
            _refuse_export(request)
        found = await storage.get(request, scope.key(), version)
        return object_answer(request, scope, accepted, found.object)

    return get


def _refuse_export(request: RequestContext) -> None:
    if parse_bool(request.query.get("export")):
        raise status.bad_request("the export parameter, deprecated since v1.14, is no longer supported")
