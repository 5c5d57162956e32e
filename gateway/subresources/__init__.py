"""Subresources that are more than a part of their object: scale, binding, eviction, token.

`install_subresources` is the table of verbs for single subresources that `gateway.routing` prefers to the general ones.
Those that are a part of the object (status, finalize, approval, ephemeralcontainers, resize) are written by the general
verbs, and the strategy of the kind knows what they may change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.routing import Special, Verb
    from gateway.verbs.tools import Tools

_SCALED = (("apps", "deployments"), ("apps", "replicasets"), ("apps", "statefulsets"), ("", "replicationcontrollers"))


def install_subresources(tools: Tools) -> Mapping[Special, Mapping[str, Verb]]:
    """Return the verbs by group, resource and subresource, then by action."""
    from gateway.subresources import binding, eviction, scale, token

    scaled = scale.verbs(tools)
    bind = {"create": binding.verb(tools)}
    found: dict[Special, Mapping[str, Verb]] = {(group, name, "scale"): scaled for group, name in _SCALED}
    found["", "pods", "binding"] = bind
    found["", "bindings", ""] = bind
    found["", "serviceaccounts", "token"] = {"create": token.verb(tools)}
    found["", "pods", "eviction"] = {"create": eviction.verb(tools)}
    return found
