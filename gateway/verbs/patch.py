"""PATCH of one object: JSON patch, merge patch, strategic merge patch; applies are `gateway.verbs.apply`.

As apiserver pkg/endpoints/handlers/patch.go; the patches themselves are `kubehop.machinery.patch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.forms import check_form, object_answer
from gateway.negotiating import PLAIN, negotiate
from gateway.options import WriteOptions, read_write_options
from gateway.schemes import LegacyScheme
from gateway.scopes import Scope
from gateway.verbs import apply
from gateway.verbs.tools import Tools
from gateway.writing import bodies, updating
from gateway.writing.admitting import Admission
from gateway.writing.updating import Make
from gateway.writing.views import Show, ViewOf, view_of_object
from gateway.writing.writes import Guard, Write
from kubehop.machinery import negotiation
from kubehop.machinery.metadata import check_name
from kubehop.machinery.objects import Object, deep_copy
from kubehop.machinery.patch.requests import patch_object

if TYPE_CHECKING:
    from gateway.routing import Verb

_SCHEME = LegacyScheme()


def verb(
    tools: Tools, view_of: ViewOf = view_of_object, show: Show = object_answer, guard: Guard | None = None
) -> Verb:
    """Return the verb; subresources with a view of their own say how they see objects and how they answer.

    A guard may refuse what is to be written.
    """
    backends = tools.backends

    async def patch(request: RequestContext, scope: Scope) -> Answer:
        patch_type = negotiation.patch_type(request.headers.get("Content-Type") or "")
        accepted = negotiate(request)
        if accepted is not PLAIN:
            check_form(request, scope, accepted, listing=False)
        data = await bodies.read(request)
        applying = patch_type == negotiation.APPLY_YAML_PATCH
        options = read_write_options(request.query, "PatchOptions", apply=applying)
        view = view_of(scope)
        admission = Admission(
            backends.admission, request, scope, options.to_object("UpdateOptions"), options.dry_run)  # fmt: skip
        write = Write(request, scope, backends.storage, admission, options, view, tools.allocations, guard)
        make = apply.maker(write, backends, data) if applying else _maker(write, options, patch_type, data)
        outcome = await updating.update(write, make, creates=applying)
        return show(request, scope, accepted, outcome.object, 201 if outcome.created else 200)

    return patch


def _maker(write: Write, options: WriteOptions, patch_type: str, data: bytes) -> Make:
    """Return what makes the new object: the live one with the patch applied, owned, admitted."""
    scope = write.scope

    async def make(live: Object | None) -> Object:
        assert live is not None  # these patches never create
        new, warnings = patch_object(
            patch_type, data, deep_copy(live), scheme=_SCHEME, expected=scope.kind,
            field_validation=options.validation)  # fmt: skip
        for text in warnings:
            write.request.add_warning(text)
        write.view.default(new)
        write.own(live, new)
        write.ensure_namespace(new)
        check_name(new, scope.name, scope.namespace)
        return await updating.admit(write, new, live)

    return make
