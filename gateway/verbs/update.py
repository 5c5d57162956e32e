"""PUT of one object: the object as a whole.

As apiserver pkg/endpoints/handlers/update.go; what follows the decoding is `gateway.writing.updating`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.answers import Answer
from gateway.authorizing import attributes_of, denied
from gateway.context import RequestContext
from gateway.forms import check_form, object_answer
from gateway.negotiating import PLAIN, negotiate
from gateway.options import read_write_options
from gateway.scopes import Scope
from gateway.verbs.tools import Tools
from gateway.writing import bodies, updating
from gateway.writing.admitting import Admission
from gateway.writing.views import Show, ViewOf, view_of_object
from gateway.writing.writes import Guard, Write
from kubehop.machinery.metadata import check_name
from kubehop.machinery.objects import Object, deep_copy, uid
from kubehop.pb.authorization.v1 import DECISION_ALLOW

if TYPE_CHECKING:
    from gateway.backends import Backends
    from gateway.routing import Verb


def verb(
    tools: Tools, view_of: ViewOf = view_of_object, show: Show = object_answer, guard: Guard | None = None
) -> Verb:
    """Return the verb; subresources with a view of their own say how they see objects and how they answer.

    A guard may refuse what is to be written.
    """
    backends = tools.backends

    async def update(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        if accepted is not PLAIN:
            check_form(request, scope, accepted, listing=False)
        data = await bodies.read(request)
        options = read_write_options(request.query, "UpdateOptions")
        media_type = bodies.media_type_of(request)
        obj = bodies.decode(request, data, media_type, scope.kind, options.validation)
        view = view_of(scope)
        admission = Admission(backends.admission, request, scope, options.to_object(), options.dry_run)
        write = Write(request, scope, backends.storage, admission, options, view, tools.allocations, guard)
        write.ensure_namespace(obj)
        check_name(obj, scope.name, scope.namespace)
        view.default(obj)
        write.dedup_owners(obj, after_admission=False)

        async def make(live: Object | None) -> Object:
            if live is None:
                await authorize_create(request, backends)
            new = deep_copy(obj)
            write.own(live, new)
            return await updating.admit(write, new, live)

        outcome = await updating.update(write, make, creates=write.strategy.creates_on_update, wanted_uid=uid(obj))
        return show(request, scope, accepted, outcome.object, 201 if outcome.created else 200)

    return update


async def authorize_create(request: RequestContext, backends: Backends) -> None:
    """Ask hop 2 whether the user may create, where an update or apply is about to. Raises 403."""
    attributes = attributes_of(request.info)
    attributes.verb = "create"
    verdict = await backends.authorization.authorize(request, request.user, attributes)
    if verdict.decision != DECISION_ALLOW:
        raise denied(request.user.username, attributes, verdict.reason)
