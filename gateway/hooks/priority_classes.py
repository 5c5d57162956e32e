"""scheduling/bootstrap-system-priority-classes: the two classes of pods that the system cannot do without.

Source of the behaviour: pkg/registry/scheduling/rest/storage_scheduling.go; facts: pkg/apis/scheduling.
"""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.hooks.objects import ObjectExistsError, Objects
from gateway.hooks.runner import Hook
from kubehop.machinery.objects import Object

GROUP: Final = "scheduling.k8s.io"
RESOURCE: Final = "priorityclasses"
SYSTEM_CRITICAL: Final = 2_000_000_000
"""The lowest priority of the system; users' classes end at half of it."""


def system_classes() -> list[Object]:
    """The system's priority classes, without server-set metadata."""
    return [
        _system_class(
            "system-node-critical",
            SYSTEM_CRITICAL + 1000,
            "Used for system critical pods that must not be moved from their current node.",
        ),
        _system_class(
            "system-cluster-critical",
            SYSTEM_CRITICAL,
            "Used for system critical pods that must run in the cluster, but can be moved to another node"
            " if necessary.",
        ),
    ]


def hook(objects: Objects) -> Hook:
    """The hook over these objects; a class that exists is left as it is."""

    async def run() -> None:
        existing = {found["metadata"]["name"] for found in await objects.list(GROUP, RESOURCE)}
        missing = [wanted for wanted in system_classes() if wanted["metadata"]["name"] not in existing]
        await asyncio.gather(*(_create(objects, wanted) for wanted in missing))

    return Hook("scheduling/bootstrap-system-priority-classes", run)


async def _create(objects: Objects, wanted: Object) -> None:
    try:
        await objects.create(GROUP, RESOURCE, wanted)
    except ObjectExistsError:
        return


def _system_class(name: str, value: int, description: str) -> Object:
    return {
        "kind": "PriorityClass",
        "apiVersion": f"{GROUP}/v1",
        "metadata": {"name": name, "generation": 1},
        "value": value,
        "description": description,
        "preemptionPolicy": "PreemptLowerPriority",
    }
