"""pods/binding: the scheduler says on which node a pod is to run.

As BindingREST in pkg/registry/core/pod/storage/storage.go of Kubernetes; `bindings` is its older path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from gateway.context import RequestContext
from gateway.options import WriteOptions
from gateway.scopes import Scope
from gateway.subresources.posting import posting_verb
from kubehop.kinds import catalogue
from kubehop.kinds.resource import Resource
from kubehop.machinery import fields, metadata, status, timestamps
from kubehop.machinery.fields import Path
from kubehop.machinery.gotext import quote
from kubehop.machinery.objects import Object, name, resource_version, uid
from kubehop.machinery.status import StatusError

if TYPE_CHECKING:
    from gateway.routing import Verb
    from gateway.verbs.tools import Tools

_ATTEMPTS = 32


def verb(tools: Tools) -> Verb:
    """Return the verb."""
    storage = tools.backends.storage

    async def bind(request: RequestContext, scope: Scope, binding: Object, options: WriteOptions) -> None:
        pods = scope._replace(resource=_pods(), subresource=None)
        key = pods.key()
        for attempt in range(_ATTEMPTS):
            found = await storage.get(request, key)
            pod: Object = orjson.loads(found.object)
            _assign(pod, binding)
            if options.dry_run:
                return
            pod["metadata"].pop("resourceVersion", None)
            try:
                await storage.update(request, key, orjson.dumps(pod), found.revision)
            except StatusError as error:
                if error.reason != "Conflict" or attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    return posting_verb(tools, _check, bind)


def _pods() -> Resource:
    row = catalogue.lookup("", "v1", "pods")
    assert row is not None  # a built-in resource
    return row


def _check(scope: Scope, binding: Object) -> None:
    if name(binding) != scope.name:
        raise status.bad_request("name in URL does not match name in Binding object")
    target = binding.get("target") or {}
    errors = []
    if target.get("kind", "") not in ("", "Node"):
        errors.append(fields.not_supported(Path("target", "kind"), target["kind"], ["Node", "<empty>"]))
    elif not target.get("name"):
        errors.append(fields.required(Path("target", "name")))
    if errors:
        raise status.unknown(fields.to_aggregate(errors))


def _assign(pod: Object, binding: Object) -> None:
    """Put the pod on its node. Changes the pod. Raises 409 where it cannot be (any more)."""
    wanted_uid, wanted_version = uid(binding), resource_version(binding)
    if wanted_uid and wanted_uid != uid(pod):
        text = f"Precondition failed: UID in precondition: {wanted_uid}, UID in object meta: {uid(pod)}"
        raise _conflict(pod, text)
    if wanted_version and wanted_version != resource_version(pod):
        text = (
            f"Precondition failed: ResourceVersion in precondition: {wanted_version}, "
            f"ResourceVersion in object meta: {resource_version(pod)}"
        )
        raise _conflict(pod, text)
    if metadata.is_being_deleted(pod):
        raise _conflict(pod, f"pod {name(pod)} is being deleted, cannot be assigned to a host")
    node = pod["spec"].get("nodeName")
    if node:
        raise _conflict(pod, f"pod {name(pod)} is already assigned to node {quote(node)}")
    if pod["spec"].get("schedulingGates"):
        raise _conflict(pod, f"pod {name(pod)} has non-empty .spec.schedulingGates")
    pod["spec"]["nodeName"] = binding["target"]["name"]
    for key in ("annotations", "labels"):
        if added := (binding.get("metadata") or {}).get(key):
            pod["metadata"][key] = {**(pod["metadata"].get(key) or {}), **added}
    set_condition(pod, {"type": "PodScheduled", "status": "True"})


def set_condition(pod: Object, condition: Object) -> None:
    """Set a condition of a pod; its transition time is now where the status changes. Changes the pod."""
    conditions: list[Object] = pod.setdefault("status", {}).setdefault("conditions", [])
    for index, present in enumerate(conditions):
        if present.get("type") == condition["type"]:
            same = present.get("status") == condition["status"]
            time = present.get("lastTransitionTime") if same else timestamps.now()
            conditions[index] = {**present, **condition, "lastTransitionTime": time}
            return
    conditions.append({**condition, "lastProbeTime": None, "lastTransitionTime": timestamps.now()})


def _conflict(pod: Object, text: str) -> StatusError:
    return status.conflict("", "pods/binding", name(pod), text)
