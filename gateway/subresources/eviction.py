"""pods/eviction: delete a pod, if the disruption budgets that cover it allow it.

As EvictionREST in pkg/registry/core/pod/storage/eviction.go of Kubernetes.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from gateway.backends import Storage
from gateway.context import RequestContext
from gateway.options import DeleteOptions, WriteOptions, delete_options_from_body
from gateway.scopes import Scope
from gateway.subresources.binding import set_condition
from gateway.subresources.posting import posting_verb
from gateway.writing.admitting import Admission
from gateway.writing.deleting import Deletion
from gateway.writing.owning import field_manager
from kubehop.kinds import catalogue
from kubehop.kinds.resource import Resource
from kubehop.machinery import metadata, objects, status, timestamps
from kubehop.machinery.objects import Object, deep_copy, name
from kubehop.machinery.selectors import labels
from kubehop.machinery.status import StatusError
from kubehop.pb.storage.v1 import Key, ListRequest

if TYPE_CHECKING:
    from gateway.routing import Verb
    from gateway.verbs.tools import Tools

_ATTEMPTS = 20
_MOST_DISRUPTED = 2000
_MANAGER = "kube-apiserver"
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_UNGUARDED = ("Succeeded", "Failed", "Pending")
"""Phases in which a pod may go whatever its budget says."""


def verb(tools: Tools) -> Verb:
    """Return the verb."""
    storage = tools.backends.storage

    async def evict(request: RequestContext, scope: Scope, eviction: Object, options: WriteOptions) -> None:
        asked = delete_options_from_body(eviction.get("deleteOptions") or {})
        if options.dry_run:
            asked = replace(asked, dry_run=True)
        pods = scope._replace(resource=_row("", "pods"), subresource=None)
        run = _Eviction(tools, request, pods, asked)
        found = await storage.get(request, pods.key())
        pod: Object = orjson.loads(found.object)
        phase = (pod.get("status") or {}).get("phase")
        if phase in _UNGUARDED or metadata.is_being_deleted(pod):
            await run.delete(pod)
            return
        budget = await run.budget_of(pod)
        guard = budget is not None and await run.ask(budget, pod)
        await run.delete(pod, still_unready=guard, budget=budget)

    return posting_verb(tools, _check, evict, any_version=True)


def _check(scope: Scope, eviction: Object) -> None:
    if name(eviction) != scope.name:
        raise status.bad_request("name in URL does not match name in Eviction object")


def _row(group: str, resource: str) -> Resource:
    row = catalogue.lookup(group, "v1", resource)
    assert row is not None  # a built-in resource
    return row


class _Eviction:
    """One eviction."""

    def __init__(self, tools: Tools, request: RequestContext, scope: Scope, options: DeleteOptions) -> None:
        self._tools = tools
        self._request = request
        self._scope = scope
        self._options = options
        self._storage: Storage = tools.backends.storage

    async def budget_of(self, pod: Object) -> Object | None:
        """Return the one budget that covers the pod, None where there is none. Raises 500 where there are several."""
        key = Key(group="policy", resource="poddisruptionbudgets", namespace=self._scope.namespace)
        async with aclosing(self._storage.list(self._request, ListRequest(key=key, with_type_meta=True))) as parts:
            items = b",".join([part.chunk.items async for part in parts if part.chunk.count])
        covering = [budget for budget in orjson.loads(b"[%b]" % items) if _covers(budget, pod)]
        if len(covering) > 1:
            raise status.unknown(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            )
        return covering[0] if covering else None

    async def ask(self, budget: Object, pod: Object) -> bool:
        """Take one disruption from the budget; True where none is needed as long as the pod is not ready.

        Raises 429 where the budget allows none.
        """
        state = budget.get("status") or {}
        wanted = state.get("desiredHealthy", 0)
        if not _is_ready(pod) and state.get("currentHealthy", 0) >= wanted > 0:
            return True
        key = Key(group="policy", resource="poddisruptionbudgets", namespace=self._scope.namespace, name=name(budget))
        for attempt in range(_ATTEMPTS):
            found = await self._storage.get(self._request, key)
            live: Object = orjson.loads(found.object)
            new = deep_copy(live)
            _take(new, name(pod))
            if self._options.dry_run:
                return False
            status_scope = self._scope._replace(resource=_row("policy", "poddisruptionbudgets"), name=name(budget))
            sub = status_scope.resource.subresource("status")
            field_manager(status_scope._replace(subresource=sub)).update(live, new, _MANAGER, timestamps.now())
            new["metadata"].pop("resourceVersion", None)
            try:
                await self._storage.update(self._request, key, orjson.dumps(new), found.revision)
            except StatusError as error:
                if error.reason != "Conflict" or attempt == _ATTEMPTS - 1:
                    raise
            else:
                return False
        return False

    async def delete(self, pod: Object, *, still_unready: bool = False, budget: Object | None = None) -> None:
        """Delete the pod, noting why. Raises 429 where it became ready meanwhile."""
        options = self._options
        pinned = still_unready and options.resource_version is None
        if pinned:
            options = replace(options, resource_version=objects.resource_version(pod))
        elif (pod.get("status") or {}).get("phase") not in (*_UNGUARDED, None) and not options.dry_run:
            await self._note(pod)
        stage = self._tools.backends.admission
        admission = Admission(stage, self._request, self._scope, options.to_object(), options.dry_run)
        try:
            deletion = Deletion(
                self._request, self._scope, self._storage, admission, options, self._tools.allocations, admits=False
            )
            await deletion.run(name(pod))
        except StatusError as error:
            if pinned and error.reason == "Conflict":
                raise _processing(name(budget or {})) from None
            raise

    async def _note(self, pod: Object) -> None:
        """Set the condition that tells controllers why the pod goes."""
        if self._options.uid is not None and self._options.uid != objects.uid(pod):
            return  # the deletion will say so
        key = self._scope.key()
        for _ in range(_ATTEMPTS):
            found = await self._storage.get(self._request, key)
            live: Object = orjson.loads(found.object)
            set_condition(
                live,
                {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "EvictionByEvictionAPI",
                    "message": "Eviction API: evicting",
                },
            )
            live["metadata"].pop("resourceVersion", None)
            try:
                await self._storage.update(self._request, key, orjson.dumps(live), found.revision)
            except StatusError as error:
                if error.reason != "Conflict":
                    raise
            else:
                return


def _covers(budget: Object, pod: Object) -> bool:
    try:
        selector = labels.from_label_selector((budget.get("spec") or {}).get("selector"))
    except ValueError:
        return False
    return not selector.empty and selector.matches(objects.labels(pod))


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _take(budget: Object, pod_name: str) -> None:
    """Take one disruption from the budget's status. Changes the budget. Raises 403 and 429."""
    state = budget.setdefault("status", {})
    if state.get("observedGeneration", 0) < metadata.generation(budget):
        raise _processing(name(budget))
    allowed = state.get("disruptionsAllowed", 0)
    if allowed < 0:
        raise status.forbidden(
            "policy", "poddisruptionbudget", name(budget), "pdb disruptions allowed is negative")  # fmt: skip
    if len(state.get("disruptedPods") or ()) > _MOST_DISRUPTED:
        text = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise status.forbidden("policy", "poddisruptionbudget", name(budget), text)
    if allowed == 0:
        healthy = f"{state.get('desiredHealthy', 0)} healthy pods and has {state.get('currentHealthy', 0)} currently"
        raise _refusal(f"The disruption budget {name(budget)} needs {healthy}", 0)
    state["disruptionsAllowed"] = allowed - 1
    if allowed == 1:
        _set_exhausted(budget)
    state["disruptedPods"] = {**(state.get("disruptedPods") or {}), pod_name: timestamps.now()}


def _set_exhausted(budget: Object) -> None:
    conditions: list[Object] = budget["status"].setdefault("conditions", [])
    new = {
        "type": "DisruptionAllowed",
        "status": "False",
        "observedGeneration": budget["status"].get("observedGeneration", 0),
        "lastTransitionTime": timestamps.now(),
        "reason": "InsufficientPods",
        "message": "",
    }
    for index, present in enumerate(conditions):
        if present.get("type") == "DisruptionAllowed":
            if present.get("status") == "False":
                new["lastTransitionTime"] = present["lastTransitionTime"]
            conditions[index] = new
            return
    conditions.append(new)


def _processing(budget: str) -> StatusError:
    return _refusal(f"The disruption budget {budget} is still being processed by the server.", 10)


def _refusal(why: str, retry_after: int) -> StatusError:
    error = status.too_many_requests(_REFUSED, retry_after)
    body = {**error.status, "details": {"causes": [status.cause("DisruptionBudget", why)]}}
    if retry_after:
        body["details"]["retryAfterSeconds"] = retry_after
    return status.from_status(body)
