"""Pods and outcomes for tests of plugins."""

from __future__ import annotations

import copy
from typing import Any

from kubehop.machinery.status import StatusError

Object = dict[str, Any]


def pod(
    name: str = "p", *, containers: list[Object] | None = None, metadata: Object | None = None, **spec: Any
) -> Object:
    """A Pod with one container unless told otherwise."""
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, **(metadata or {})},
        "spec": {"containers": containers or [{"name": "c", "image": "nginx"}], **copy.deepcopy(spec)},
    }


async def refusal(phase: Any, attributes: Any) -> str:
    """The message with which a phase refuses; "" when it does not."""
    try:
        await phase(attributes)
    except StatusError as denial:
        return denial.message
    return ""
