"""DELETE of a collection: every object that the selectors choose, one after the other.

Not atomic, as in kube-apiserver: an error leaves the rest where it is. As DeleteCollection in apiserver
pkg/endpoints/handlers/delete.go and pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import orjson

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.forms import check_form, list_answer
from gateway.negotiating import negotiate
from gateway.scopes import Scope
from gateway.verbs.list import metadata_of, to_message
from gateway.verbs.selecting import read_options
from gateway.verbs.tools import Tools
from gateway.writing import bodies
from gateway.writing.admitting import Admission
from gateway.writing.deleting import Deletion
from kubehop.machinery.objects import name, namespace
from kubehop.machinery.status import StatusError

if TYPE_CHECKING:
    from gateway.routing import Verb


def verb(tools: Tools) -> Verb:
    """Return the verb."""
    backends = tools.backends

    async def delete_collection(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        check_form(request, scope, accepted, listing=True)
        listed = read_options(request, scope, watch=False)
        options = await bodies.read_delete_options(request)
        async with aclosing(
            backends.storage.list(request, to_message(request, scope, listed, with_type_meta=True))
        ) as parts:
            header = (await anext(parts)).header
            items = b",".join([part.chunk.items async for part in parts if part.chunk.count])
        admission = Admission(backends.admission, request, scope, options.to_object(), options.dry_run)
        for obj in orjson.loads(b"[%b]" % items):
            inside = scope._replace(namespace=namespace(obj) or scope.namespace, name=name(obj))
            deletion = Deletion(request, inside, backends.storage, admission, options, tools.allocations)
            try:
                await deletion.run(name(obj))
            except StatusError as error:
                if error.reason != "NotFound":
                    raise
        return list_answer(request, scope, accepted, items, metadata_of(header))

    return delete_collection
