"""What binding and eviction share: a document is posted to an object, admitted, acted on, answered with a Status.

As createHandler in apiserver pkg/endpoints/handlers/create.go around the storages of pkg/registry/core/pod/storage.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.forms import value_answer
from gateway.negotiating import negotiate
from gateway.options import WriteOptions, read_write_options
from gateway.scopes import Scope
from gateway.writing import bodies
from gateway.writing.admitting import CREATE, Admission
from kubehop.machinery.metadata import ensure_namespace
from kubehop.machinery.objects import Object, name

if TYPE_CHECKING:
    from gateway.routing import Verb
    from gateway.verbs.tools import Tools

Check = Callable[[Scope, Object], None]
"""Raises what is wrong with the document, before admission accepts it."""
Act = Callable[[RequestContext, Scope, Object, WriteOptions], Awaitable[None]]
"""Does what the document asks for."""


def posting_verb(tools: Tools, check: Check, act: Act, *, any_version: bool = False) -> Verb:
    """Return the create verb of a subresource; with any_version the document may be in an older version of its kind."""
    stage = tools.backends.admission

    async def create(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        media_type = bodies.media_type_of(request)
        data = await bodies.read(request)
        options = read_write_options(request.query, "CreateOptions")
        document = bodies.decode(
            request, data, media_type, scope.kind, options.validation, check_version=not any_version)  # fmt: skip
        ensure_namespace(document, scope.namespace, namespaced=True)
        target = scope if scope.name else scope._replace(name=name(document))
        admission = Admission(stage, request, target, options.to_object(), options.dry_run)
        changed = await admission.mutate(CREATE, document, None, target.name)
        assert changed is not None  # a document went in, so one comes out
        check(target, changed)
        await admission.validate(CREATE, changed, None, target.name)
        await act(request, target, changed, options)
        done: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        return value_answer(request, target, accepted, done, 201)

    return create
