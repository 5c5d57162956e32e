"""priority-and-fairness-config-producer: the flow control configuration of a fresh cluster, kept up.

Mandatory objects always get back the spec that they should have; suggested ones only while their annotation
apf.kubernetes.io/autoupdate-spec says so (without it: while nobody has changed them). Objects that carry the annotation
and are no longer part of the defaults are removed. Source of the behaviour: pkg/registry/flowcontrol/{rest,ensurer}.
"""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.hooks.flow_control_defaults import AUTOUPDATE, GROUP, MANDATORY, flow_schemas, priority_levels
from gateway.hooks.objects import ObjectExistsError, Objects
from gateway.hooks.runner import Hook
from kubehop.machinery import objects as accessors
from kubehop.machinery.objects import Object, deep_copy, ensure_metadata

INTERVAL_SECONDS: Final = 60.0


def hook(objects: Objects) -> Hook:
    """The hook over these objects."""

    async def run() -> None:
        await _ensure_all(objects, "prioritylevelconfigurations", priority_levels())
        await _ensure_all(objects, "flowschemas", flow_schemas())

    return Hook("priority-and-fairness-config-producer", run, again_every=INTERVAL_SECONDS)


async def _ensure_all(objects: Objects, resource: str, expected: list[Object]) -> None:
    existing = {found["metadata"]["name"]: found for found in await objects.list(GROUP, resource)}
    wanted = {obj["metadata"]["name"]: obj for obj in expected}
    await asyncio.gather(*(_ensure(objects, resource, obj, existing.get(name)) for name, obj in wanted.items()))
    unwanted = [
        found
        for name, found in existing.items()
        if name not in wanted and accessors.annotations(found).get(AUTOUPDATE) == "true"
    ]
    await asyncio.gather(*(objects.delete(GROUP, resource, found) for found in unwanted))


async def _ensure(objects: Objects, resource: str, wanted: Object, found: Object | None) -> None:
    if found is None:
        try:
            await objects.create(GROUP, resource, wanted)
        except ObjectExistsError:
            return
        return
    changed = put_right(found, wanted)
    if changed is not None:
        await objects.update(GROUP, resource, changed)


def put_right(found: Object, wanted: Object) -> Object | None:
    """The object with the spec and annotation that it should have; None where nothing is to be done."""
    auto = wanted["metadata"]["name"] in MANDATORY or _auto_update(found)
    flag = "true" if auto else "false"
    same_flag = accessors.annotations(found).get(AUTOUPDATE) == flag
    same_spec = not auto or found.get("spec") == wanted["spec"]
    if same_flag and same_spec:
        return None
    changed = deep_copy(found)
    meta = ensure_metadata(changed)
    meta["annotations"] = {**(meta.get("annotations") or {}), AUTOUPDATE: flag}
    if not same_spec:
        changed["spec"] = wanted["spec"]
        meta["generation"] = meta.get("generation", 0) + 1
    return changed


def _auto_update(found: Object) -> bool:
    flag = accessors.annotations(found).get(AUTOUPDATE)
    if flag in {"true", "false"}:
        return flag == "true"
    return accessors.metadata(found).get("generation") == 1
