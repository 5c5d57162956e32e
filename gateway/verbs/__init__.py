"""The verbs of the API, one module each: decode, check, act, encode.

`install_verbs` is the table from actions to verbs that `gateway.routing` dispatches by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.verbs.tools import Tools

if TYPE_CHECKING:
    from gateway.routing import Verb


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


__all__ = ["Tools", "install_verbs"]
