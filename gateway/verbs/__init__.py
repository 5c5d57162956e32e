"""The verbs of the API, one module each: decode, check, act, encode.

`install_verbs` is the table from actions to verbs that `gateway.routing` dispatches by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.verbs.tools import Tools

if TYPE_CHECKING:
    from gateway.routing import Special, Verb


def install_verbs(tools: Tools) -> Mapping[str, Verb]:
    """Return the verb of each action, each bound to what it works with."""
    from gateway.verbs import create, delete, delete_collection, get, patch, update, watch
    from gateway.verbs import list as list_

    return {
        "get": get.verb(tools),
        "list": list_.verb(tools),
        "watch": watch.verb(tools),
        "create": create.verb(tools),
        "update": update.verb(tools),
        "patch": patch.verb(tools),
        "delete": delete.verb(tools),
        "deletecollection": delete_collection.verb(tools),
    }


def install_guarded(tools: Tools) -> Mapping[Special, Mapping[str, Verb]]:
    """Return the verbs that write roles and bindings, which grant no more than their writer has."""
    from gateway.verbs import create, patch, update
    from gateway.writing import escalation

    guard = escalation.guard(tools.backends)
    verbs = {
        "create": create.verb(tools, guard),
        "update": update.verb(tools, guard=guard),
        "patch": patch.verb(tools, guard=guard),
    }
    return {(escalation.GROUP, name, ""): verbs for name in escalation.ROLES | escalation.BINDINGS}


__all__ = ["Tools", "install_guarded", "install_verbs"]
