"""What all reviews share: a POST that is decoded, admitted, answered, and kept nowhere.

Each review module gives the function that answers; this makes the verb of it. As createHandler in apiserver
pkg/endpoints/handlers/create.go around the REST storages of pkg/registry/{authentication,authorization}.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.forms import value_answer
from gateway.negotiating import negotiate
from gateway.options import read_write_options
from gateway.scopes import Scope
from gateway.writing import bodies
from gateway.writing.admitting import CREATE, Admission
from gateway.writing.owning import field_manager, manager_name
from kubehop.kinds.strategy import strategy_for
from kubehop.machinery import negotiation, timestamps
from kubehop.machinery.metadata import ensure_namespace, wipe_system_fields
from kubehop.machinery.objects import Object, name

if TYPE_CHECKING:
    from gateway.routing import Verb
    from gateway.verbs.tools import Tools

Check = Callable[[Scope, Object], None]
"""Raises what is wrong with a review, before admission accepts it."""
Fill = Callable[[RequestContext, Scope, Object], Awaitable[Object]]
"""Returns the review with its status."""

_FORMS: Final = replace(
    negotiation.RESOURCES, transforms=tuple(kind for kind in negotiation.TABLE_KINDS if kind.kind != "Table")
)
"""Reviews have no table."""


def review_verb(tools: Tools, check: Check, fill: Fill) -> Verb:
    """Return the create verb of a review."""
    stage = tools.backends.admission

    async def create(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request, _FORMS)
        media_type = bodies.media_type_of(request)
        data = await bodies.read(request)
        options = read_write_options(request.query, "CreateOptions")
        obj = bodies.decode(request, data, media_type, scope.kind, options.validation)
        wipe_system_fields(obj)
        ensure_namespace(obj, scope.namespace, namespaced=scope.resource.namespaced)
        strategy_for(scope.resource).default(obj)
        admission = Admission(stage, request, scope, options.to_object(), options.dry_run)
        manager = manager_name(request, options.field_manager)
        field_manager(scope).update(None, obj, manager, timestamps.now())
        changed = await admission.mutate(CREATE, obj, None, name(obj))
        assert changed is not None  # an object went in, so one comes out
        check(scope, changed)
        await admission.validate(CREATE, changed, None, name(changed))
        return value_answer(request, scope, accepted, await fill(request, scope, changed), 201)

    return create
