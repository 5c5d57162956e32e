"""Priority: the number behind a pod's priority class, and one default class at most.

Source of the behaviour: plugin/pkg/admission/priority/admission.go.
"""

from __future__ import annotations

from typing import Any, Final

from kubehop.machinery.objects import Object, metadata
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugin import Change, Scoped, forbidden
from services.admission.pods import PODS, spec_of

GROUP: Final = "scheduling.k8s.io"
RESOURCE: Final = "priorityclasses"
_DEFAULT_POLICY: Final = "PreemptLowerPriority"
_KEPT: Final = ("priority", "preemptionPolicy")


class Priority(Scoped):
    """See the module."""

    name: Final = "Priority"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({PODS, (GROUP, RESOURCE, "")})

    def __init__(self, cluster: Cluster) -> None:
        self._classes = Lookup.of(cluster, GROUP, RESOURCE)

    async def admit(self, attributes: Attributes) -> Change | None:
        """Give a new pod its number and policy; on update keep what it was given."""
        if attributes.resource != PODS[1]:
            return None
        spec = spec_of(attributes.object)
        if attributes.operation == UPDATE:
            return _keep(spec, attributes.old_object.get("spec") or {})
        return await self._resolve(attributes, spec)

    async def validate(self, attributes: Attributes) -> None:
        """Refuse a second default class."""
        if attributes.resource != RESOURCE or not attributes.object.get("globalDefault"):
            return
        default = self._default()
        if default is None:
            return
        name = metadata(default)["name"]
        if attributes.operation == CREATE or name != metadata(attributes.object).get("name"):
            raise forbidden(
                attributes, f"PriorityClass {name} is already marked as default. Only one default can exist"
            )

    async def _resolve(self, attributes: Attributes, spec: Object) -> Change | None:
        name = spec.get("priorityClassName") or ""
        found = await self._classes.get(name) if name else self._default()
        if name and found is None:
            raise forbidden(attributes, f"no PriorityClass with name {name} was found")
        chosen: Object = found or {"value": 0, "preemptionPolicy": _DEFAULT_POLICY}
        resolved: dict[str, Any] = {"priority": chosen.get("value", 0)}
        if not name and found is not None:
            resolved["priorityClassName"] = metadata(found)["name"]
        given = spec.get("priority")
        if given is not None and given != resolved["priority"]:
            raise forbidden(
                attributes,
                f"the integer value of priority ({given}) must not be provided in pod spec; priority admission"
                f" controller computed {resolved['priority']} from the given PriorityClass name",
            )
        policy = chosen.get("preemptionPolicy")
        if policy is not None:
            wanted = spec.get("preemptionPolicy")
            if wanted is not None and wanted != policy:
                raise forbidden(
                    attributes,
                    f"the string value of PreemptionPolicy ({wanted}) must not be provided in pod spec; priority"
                    f" admission controller computed {policy} from the given PriorityClass name",
                )
            resolved["preemptionPolicy"] = policy
        if all(spec.get(key) == value for key, value in resolved.items()):
            return None
        spec.update(resolved)
        return Change(f"priority {resolved['priority']}")

    def _default(self) -> Object | None:
        """The default class; the lowest one, should two have come about at the same moment."""
        defaults = [found for found in self._classes.replica.items.values() if found.get("globalDefault")]
        return min(defaults, key=lambda found: found.get("value", 0), default=None)


def _keep(spec: Object, old: Object) -> Change | None:
    kept = {key: old[key] for key in _KEPT if spec.get(key) is None and old.get(key) is not None}
    if not kept:
        return None
    spec.update(kept)
    return Change("kept priority and preemption policy")
