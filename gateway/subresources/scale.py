"""The scale subresource: the replicas of a workload, read and written as a Scale of autoscaling/v1.

What a Scale is, `kubehop.kinds.scaling` says; here it meets the write pipeline, and ownership of the replicas goes
from the workload's managedFields to the Scale's and back (apimachinery pkg/util/managedfields/scalehandler.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.forms import check_form, value_answer
from gateway.negotiating import negotiate
from gateway.scopes import Scope
from gateway.verbs import patch, update
from gateway.verbs.tools import Tools
from kubehop.kinds import scaling
from kubehop.machinery import status
from kubehop.machinery.apply import entries
from kubehop.machinery.apply.entries import Managed
from kubehop.machinery.apply.fieldsets import difference, from_paths, has_path
from kubehop.machinery.apply.updater import Ownership
from kubehop.machinery.negotiation import Accepted
from kubehop.machinery.objects import Object, metadata, name

if TYPE_CHECKING:
    from gateway.routing import Verb

_REPLICAS = ("f:spec", "f:replicas")
"""Where the replicas are, in a Scale and in every workload."""


def verbs(tools: Tools) -> Mapping[str, Verb]:
    """Return the verbs of scale."""
    return {
        "get": _get(tools),
        "update": update.verb(tools, lambda _scope: ScaleView(), show_scale),
        "patch": patch.verb(tools, lambda _scope: ScaleView(), show_scale),
    }


def _get(tools: Tools) -> Verb:
    storage = tools.backends.storage

    async def get(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        check_form(request, scope, accepted, listing=False)
        version = request.query.get("resourceVersion", "")
        found = await storage.get(request, scope.key(), version)
        return show_scale(request, scope, accepted, found.object, 200)

    return get


def show_scale(request: RequestContext, scope: Scope, accepted: Accepted, stored: bytes, code: int) -> Answer:
    """Answer with the Scale of a stored workload."""
    return value_answer(request, scope, accepted, scaling.read(orjson.loads(stored)), code)


class ScaleView:
    """A workload seen as a Scale; the workload's own rules apply when it is written."""

    subresource = ""

    def show(self, stored: Object) -> Object:
        """Return the Scale of a workload, with the entries of those who own its replicas."""
        scale = scaling.read(stored)
        owned = _decode(stored)
        path = from_paths([_REPLICAS])
        kept = Managed(
            {
                key: Ownership(path, scaling.API_VERSION, owner.applied)
                for key, owner in owned.owners.items()
                if has_path(owner.fields, _REPLICAS)
            },
            owned.times,
        )
        if encoded := entries.encode(kept):
            scale["metadata"]["managedFields"] = encoded
        return scale

    def take(self, shown: Object, stored: Object) -> Object:
        """Return the workload with the Scale's replicas and with who owns them now."""
        if errors := scaling.validate(shown):
            raise status.invalid("autoscaling", "Scale", name(shown), errors)
        made = scaling.write(shown, stored)
        made["metadata"].pop("managedFields", None)
        merged = _merge(_decode(stored), _decode(shown), str(stored.get("apiVersion")))
        if encoded := entries.encode(merged):
            made["metadata"]["managedFields"] = encoded
        return made

    def default(self, shown: Object) -> None:
        """Fill in nothing: absent replicas are none."""


def _decode(obj: Object) -> Managed:
    try:
        return entries.decode(metadata(obj).get("managedFields"))
    except entries.MalformedEntriesError:
        return Managed()


def _merge(workload: Managed, scale: Managed, version: str) -> Managed:
    """Return the workload's entries after a write of its scale (ScaleHandler.ToParent).

    An updater's identifier holds the version that it wrote in, the Scale's here, so that it is always new; and whoever
    is new has no time, as in kube-apiserver.
    """
    path = from_paths([_REPLICAS])
    new = dict(scale.owners)
    owners, times = {}, {}
    for key, owner in workload.owners.items():
        if not has_path(owner.fields, _REPLICAS) or new.pop(key, None) is not None:
            owners[key] = owner
        elif left := difference(owner.fields, path):
            owners[key] = Ownership(left, owner.version, owner.applied)  # somebody else has taken the replicas
        else:
            continue
        if key in workload.times:
            times[key] = workload.times[key]
    for key, owner in new.items():
        if has_path(owner.fields, _REPLICAS):
            owners[key] = Ownership(path, version, owner.applied)
    return Managed(owners, times)
