"""POST to a collection: a new object.

As createHandler in apiserver pkg/endpoints/handlers/create.go; what follows the decoding is `gateway.writing.creating`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.forms import check_form, object_answer
from gateway.negotiating import PLAIN, negotiate
from gateway.options import read_write_options
from gateway.scopes import Scope
from gateway.verbs.tools import Tools
from gateway.writing import bodies, creating
from gateway.writing.admitting import Admission
from gateway.writing.views import object_view
from gateway.writing.writes import Guard, Write
from kubehop.machinery.metadata import wipe_system_fields

if TYPE_CHECKING:
    from gateway.routing import Verb


def verb(tools: Tools, guard: Guard | None = None) -> Verb:
    """Return the verb; a guard may refuse what is to be written."""
    backends = tools.backends

    async def create(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        if accepted is not PLAIN:
            check_form(request, scope, accepted, listing=False)
        media_type = bodies.media_type_of(request)
        data = await bodies.read(request)
        options = read_write_options(request.query, "CreateOptions")
        obj = bodies.decode(request, data, media_type, scope.kind, options.validation)
        wipe_system_fields(obj)
        view = object_view(scope.resource)
        admission = Admission(backends.admission, request, scope, options.to_object(), options.dry_run)
        write = Write(request, scope, backends.storage, admission, options, view, tools.allocations, guard)
        write.ensure_namespace(obj)
        view.default(obj)
        stored = await creating.create(write, obj)
        return object_answer(request, scope, accepted, stored, 201)

    return create
