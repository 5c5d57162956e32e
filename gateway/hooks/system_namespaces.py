"""start-system-namespaces-controller: the namespaces that the system itself lives in.

Source of the behaviour: pkg/controlplane/controller/systemnamespaces; looked after once a minute.
"""

from __future__ import annotations

import asyncio
from typing import Final

from gateway.hooks.objects import ObjectExistsError, Objects
from gateway.hooks.runner import Hook
from kubehop.machinery.objects import Object

NAMES: Final = ("kube-system", "kube-public", "kube-node-lease", "default")
INTERVAL_SECONDS: Final = 60.0


def hook(objects: Objects) -> Hook:
    """The hook over these objects."""

    async def run() -> None:
        existing = {namespace["metadata"]["name"] for namespace in await objects.list("", "namespaces")}
        await asyncio.gather(*(_create(objects, name) for name in NAMES if name not in existing))

    return Hook("start-system-namespaces-controller", run, again_every=INTERVAL_SECONDS)


async def _create(objects: Objects, name: str) -> None:
    namespace: Object = {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
    try:
        await objects.create("", "namespaces", namespace)
    except ObjectExistsError:
        return
