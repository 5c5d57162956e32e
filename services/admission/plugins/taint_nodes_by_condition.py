"""TaintNodesByCondition: a new node is tainted as not ready until something says that it is.

Source of the behaviour: plugin/pkg/admission/nodetaint/admission.go.
"""

from __future__ import annotations

from typing import Final

from services.admission.attributes import CREATE, Attributes
from services.admission.plugin import Change, Scoped

NOT_READY: Final = "node.kubernetes.io/not-ready"


class TaintNodesByCondition(Scoped):
    """See the module."""

    name: Final = "TaintNodesByCondition"
    operations = frozenset({CREATE})
    places = frozenset({("", "nodes", "")})

    async def admit(self, attributes: Attributes) -> Change | None:
        """Add the taint where the node does not have it."""
        node = attributes.object
        taints = (node.get("spec") or {}).get("taints") or []
        if any(taint.get("key") == NOT_READY and taint.get("effect") == "NoSchedule" for taint in taints):
            return None
        node["spec"] = {
            **(node.get("spec") or {}),
            "taints": [*taints, {"key": NOT_READY, "effect": "NoSchedule"}],
        }
        return Change("tainted as not ready")
