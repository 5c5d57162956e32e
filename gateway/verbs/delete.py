"""DELETE of one object.

As apiserver pkg/endpoints/handlers/delete.go; what deleting means is `gateway.writing.deleting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.forms import object_answer, value_answer
from gateway.negotiating import negotiate
from gateway.scopes import Scope
from gateway.verbs.tools import Tools
from gateway.writing import bodies
from gateway.writing.admitting import Admission
from gateway.writing.deleting import Deletion
from kubehop.machinery import status
from kubehop.machinery.objects import uid

if TYPE_CHECKING:
    from gateway.routing import Verb

_RETURNED = frozenset({
    ("", "pods"), ("", "podtemplates"), ("", "serviceaccounts"), ("", "services"), ("", "persistentvolumes"),
    ("", "persistentvolumeclaims"), ("", "resourcequotas"), ("policy", "podsecuritypolicies"),
    ("storage.k8s.io", "csinodes"), ("storage.k8s.io", "csidrivers"), ("storage.k8s.io", "storageclasses"),
    ("storage.k8s.io", "volumeattachments"), ("resource.k8s.io", "deviceclasses"),
    ("resource.k8s.io", "resourceclaims"), ("resource.k8s.io", "resourceclaimtemplates"),
    ("resource.k8s.io", "resourceslices"),
})  # fmt: skip
"""Resources whose deletion is answered with the object (Store.ReturnDeletedObject)."""


def verb(tools: Tools) -> Verb:
    """Return the verb."""
    backends = tools.backends

    async def delete(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        options = await bodies.read_delete_options(request)
        admission = Admission(backends.admission, request, scope, options.to_object(), options.dry_run)
        deletion = Deletion(request, scope, backends.storage, admission, options, tools.allocations)
        left, last = await deletion.run(scope.name)
        if left is not None:
            code = 202 if options.orphan_dependents is False else 200
            return object_answer(request, scope, accepted, left, code)
        resource = scope.resource
        if (resource.group, resource.name) in _RETURNED:
            return value_answer(request, scope, accepted, last)
        body = status.success(group=resource.group, kind=resource.name, name=scope.name, uid=uid(last))
        return value_answer(request, scope, accepted, body)

    return delete
