"""ExtendedResourceToleration: pods that ask for a special resource may go where nodes are set aside for it.

Source of the behaviour: plugin/pkg/admission/extendedresourcetoleration/admission.go.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery import names
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.plugin import Change, Scoped
from services.admission.pods import PODS, add_toleration, spec_of


class ExtendedResourceToleration(Scoped):
    """See the module."""

    name: Final = "ExtendedResourceToleration"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({PODS})

    async def admit(self, attributes: Attributes) -> Change | None:
        """Tolerate the taint named after each extended resource that the pod asks for."""
        spec = spec_of(attributes.object)
        wanted = {
            name
            for kind in ("containers", "initContainers")
            for container in spec.get(kind) or ()
            for name in (container.get("resources") or {}).get("requests") or ()
            if _is_extended(name)
        }
        added = [
            name
            for name in sorted(wanted)
            if add_toleration(spec, {"key": name, "operator": "Exists", "effect": "NoSchedule"})
        ]
        return Change(f"tolerates {', '.join(added)}") if added else None


def _is_extended(name: str) -> bool:
    """Whether a resource is neither Kubernetes' own nor that of a quota (pkg/apis/core/helper)."""
    native = "/" not in name or "kubernetes.io/" in name
    return not native and not name.startswith("requests.") and not names.label_key(f"requests.{name}")
