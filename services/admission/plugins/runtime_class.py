"""RuntimeClass: what the class of a pod's runtime costs and where it runs.

Source of the behaviour: plugin/pkg/admission/runtimeclass/admission.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kubehop.machinery import quantity
from kubehop.machinery.objects import Object, nested
from services.admission.attributes import CREATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugin import Change, Scoped, forbidden
from services.admission.pods import PODS, merge_tolerations, spec_of

GROUP: Final = "node.k8s.io"
RESOURCE: Final = "runtimeclasses"
_DIFFERS: Final = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


class RuntimeClass(Scoped):
    """See the module."""

    name: Final = "RuntimeClass"
    operations = frozenset({CREATE})
    places = frozenset({PODS})

    def __init__(self, cluster: Cluster) -> None:
        self._classes = Lookup.of(cluster, GROUP, RESOURCE)

    async def admit(self, attributes: Attributes) -> Change | None:
        """Give the pod the overhead, node selector and tolerations of its class."""
        spec = spec_of(attributes.object)
        runtime = await self._class_of(attributes, spec)
        if runtime is None:
            return None
        done = []
        overhead = _overhead(runtime)
        if overhead is not None:
            present = spec.get("overhead")
            if present is not None and not _same_amounts(present, overhead):
                raise forbidden(attributes, _DIFFERS)
            if present is None:
                spec["overhead"] = dict(overhead)
                done.append("overhead")
        if runtime.get("scheduling") and _schedule(attributes, spec, runtime["scheduling"]):
            done.append("scheduling")
        return Change(f"{' and '.join(done)} of {spec['runtimeClassName']}") if done else None

    async def validate(self, attributes: Attributes) -> None:
        """Refuse an overhead that is not that of the class."""
        spec = spec_of(attributes.object)
        runtime = await self._class_of(attributes, spec)
        overhead = _overhead(runtime) if runtime is not None else None
        present = spec.get("overhead")
        if overhead is not None:
            if not _same_amounts(present or {}, overhead):
                raise forbidden(attributes, _DIFFERS)
        elif present is not None:
            raise forbidden(
                attributes, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            )

    async def _class_of(self, attributes: Attributes, spec: Object) -> Object | None:
        name = spec.get("runtimeClassName")
        if name is None:
            return None
        found = await self._classes.get(name)
        if found is None:
            raise forbidden(attributes, f'pod rejected: RuntimeClass "{name}" not found')
        return found


def _overhead(runtime: Object) -> Mapping[str, str] | None:
    if not runtime.get("overhead"):
        return None
    return nested(runtime, "overhead", "podFixed") or {}


def _schedule(attributes: Attributes, spec: Object, scheduling: Object) -> bool:
    selector = dict(spec.get("nodeSelector") or {})
    for key, wanted in (scheduling.get("nodeSelector") or {}).items():
        present = selector.get(key, wanted)
        if present != wanted:
            raise forbidden(
                attributes,
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {wanted};"
                f" pod.spec.nodeSelector[{key}] = {present}",
            )
        selector[key] = wanted
    tolerations = merge_tolerations(spec.get("tolerations") or (), scheduling.get("tolerations") or ())
    changed = selector != (spec.get("nodeSelector") or {}) or tolerations != (spec.get("tolerations") or [])
    if selector:
        spec["nodeSelector"] = selector
    if tolerations:
        spec["tolerations"] = tolerations
    return changed


def _same_amounts(left: Mapping[str, str], right: Mapping[str, str]) -> bool:
    return left.keys() == right.keys() and all(
        quantity.parse(str(amount)) == quantity.parse(str(right[name])) for name, amount in left.items()
    )
