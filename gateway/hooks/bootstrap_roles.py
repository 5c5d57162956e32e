"""rbac/bootstrap-roles: the bootstrap policy in storage, reconciled on every start.

Missing objects are created; existing ones get the rules, aggregation selectors and subjects that they lack, and keep
whatever a person added; one whose annotation rbac.authorization.kubernetes.io/autoupdate is "false" is left alone; a
binding to another role is made anew, for a roleRef cannot be changed. Source of the behaviour:
pkg/registry/rbac/rest/storage_rbac.go and pkg/registry/rbac/reconciliation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.hooks import policy
from gateway.hooks.objects import ObjectChangedError, ObjectExistsError, Objects
from gateway.hooks.policy.rules import AUTOUPDATE, RBAC
from gateway.hooks.rbac_coverage import uncovered
from gateway.hooks.runner import Hook
from kubehop.machinery import objects as accessors
from kubehop.machinery.objects import Object, deep_copy, metadata

_ATTEMPTS: Final = 3

Reconcile = Callable[[Object, Object], Object | None]
"""The existing object as it should be, given the expected one; None where nothing is to be done."""


def hook(objects: Objects) -> Hook:
    """The hook over these objects."""

    async def run() -> None:
        # roles before bindings, so that nobody sees a binding to a role that is not there yet
        await asyncio.gather(
            _reconcile_all(objects, "clusterroles", policy.cluster_roles(), reconciled_role),
            _reconcile_all(objects, "roles", policy.roles(), reconciled_role),
        )
        await asyncio.gather(
            _reconcile_all(objects, "clusterrolebindings", policy.cluster_role_bindings(), reconciled_binding),
            _reconcile_all(objects, "rolebindings", policy.role_bindings(), reconciled_binding),
        )

    return Hook("rbac/bootstrap-roles", run)


async def _reconcile_all(objects: Objects, resource: str, expected: list[Object], reconcile: Reconcile) -> None:
    existing = {_place(found): found for found in await objects.list(RBAC, resource)}
    await asyncio.gather(
        *(_reconcile(objects, resource, wanted, existing.get(_place(wanted)), reconcile) for wanted in expected)
    )


async def _reconcile(
    objects: Objects, resource: str, wanted: Object, found: Object | None, reconcile: Reconcile
) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            if found is None:
                await objects.create(RBAC, resource, wanted)
            elif (changed := reconcile(found, wanted)) is wanted:
                await objects.delete(RBAC, resource, found)
                await objects.create(RBAC, resource, wanted)
            elif changed is not None:
                await objects.update(RBAC, resource, changed)
        except (ObjectExistsError, ObjectChangedError):
            if attempt == _ATTEMPTS - 1:
                raise
            found = await objects.get(RBAC, resource, *_place(wanted))
        else:
            return


def reconciled_role(existing: Object, expected: Object) -> Object | None:
    """A role with the rules, selectors, labels and annotations that it lacked; None where it lacks nothing."""
    if _protected(existing):
        return None
    role = deep_copy(existing)
    changed = _merge_metadata(role, expected)
    if "aggregationRule" in expected:
        selectors = expected["aggregationRule"]["clusterRoleSelectors"]
        aggregation = role.get("aggregationRule") or {}
        present = aggregation.get("clusterRoleSelectors") or []
        lacking = [selector for selector in selectors if selector not in present]
        if lacking:
            role["aggregationRule"] = {**aggregation, "clusterRoleSelectors": [*present, *lacking]}
            changed = True
    else:
        rules = role.get("rules") or []
        missing = uncovered(rules, expected["rules"])
        if missing:
            role["rules"] = [*rules, *missing]
            changed = True
    return role if changed else None


def reconciled_binding(existing: Object, expected: Object) -> Object | None:
    """A binding with the subjects, labels and annotations that it lacked; None where it lacks nothing.

    The expected object itself is returned where the binding is to another role and must be made anew.
    """
    if _protected(existing):
        return None
    if existing.get("roleRef") != expected["roleRef"]:
        return expected
    binding = deep_copy(existing)
    changed = _merge_metadata(binding, expected)
    present = binding.get("subjects") or []
    missing = [subject for subject in expected.get("subjects", ()) if subject not in present]
    if missing:
        binding["subjects"] = [*present, *missing]
        changed = True
    return binding if changed else None


def _protected(existing: Object) -> bool:
    return accessors.annotations(existing).get(AUTOUPDATE) == "false"


def _merge_metadata(obj: Object, expected: Object) -> bool:
    """Add the labels and annotations that are lacking; those that are there keep their values."""
    changed = False
    meta = metadata(obj)
    for kind in ("labels", "annotations"):
        present: Mapping[str, Any] = meta.get(kind) or {}
        merged = {**expected["metadata"].get(kind, {}), **present}
        if merged != present:
            meta[kind] = merged
            changed = True
    return changed


def _place(obj: Object) -> tuple[str, str]:
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]
