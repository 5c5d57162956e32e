"""DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or cannot be reached.

Source of the behaviour: plugin/pkg/admission/defaulttolerationseconds/admission.go.
"""

from __future__ import annotations

from typing import Final

from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.plugin import Change, Scoped
from services.admission.pods import PODS, add_toleration, spec_of

SECONDS: Final = 300
_TAINTS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DefaultTolerationSeconds(Scoped):
    """See the module."""

    name: Final = "DefaultTolerationSeconds"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({PODS})

    async def admit(self, attributes: Attributes) -> Change | None:
        """Add the tolerations that the pod lacks."""
        spec = spec_of(attributes.object)
        tolerations = spec.get("tolerations") or ()
        lacking = [
            taint
            for taint in _TAINTS
            if not any(
                (toleration.get("key") or taint) == taint and (toleration.get("effect") or "NoExecute") == "NoExecute"
                for toleration in tolerations
            )
        ]
        for taint in lacking:
            add_toleration(
                spec, {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS}
            )
        return Change(f"tolerates {' and '.join(lacking)} for {SECONDS} s") if lacking else None
