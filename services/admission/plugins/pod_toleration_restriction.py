"""PodTolerationRestriction: the tolerations that a namespace gives to its pods, and those that it allows.

Source of the behaviour: plugin/pkg/admission/podtolerationrestriction/admission.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from kubehop.kinds.core.qos import qos_class
from kubehop.machinery import objects, status
from kubehop.machinery.objects import Object
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugin import Change, Scoped, forbidden
from services.admission.pods import PODS, covers, merge_tolerations, spec_of

_DEFAULTS: Final = "scheduler.alpha.kubernetes.io/defaultTolerations"
_ALLOWED: Final = "scheduler.alpha.kubernetes.io/tolerationsWhitelist"
_MEMORY_PRESSURE: Final[Object] = {
    "key": "node.kubernetes.io/memory-pressure",
    "operator": "Exists",
    "effect": "NoSchedule",
}
"""What every pod tolerates that has asked for something."""


class PodTolerationRestriction(Scoped):
    """See the module."""

    name: Final = "PodTolerationRestriction"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({PODS})

    def __init__(self, cluster: Cluster, default: Sequence[Object] = (), allowed: Sequence[Object] = ()) -> None:
        self._namespaces = Lookup.of(cluster, "", "namespaces")
        self._default = list(default)
        self._allowed = list(allowed)

    async def admit(self, attributes: Attributes) -> Change | None:
        """Give a new pod the tolerations of its namespace, those of the cluster where it says none."""
        spec = spec_of(attributes.object)
        present = spec.get("tolerations") or []
        wanted = present
        if attributes.operation == CREATE:
            given = _tolerations(await self._namespace(attributes), _DEFAULTS)
            if given is None:
                given = self._default
            wanted = merge_tolerations(given, present) if given else present
            if qos_class(attributes.object) != "BestEffort":
                wanted = merge_tolerations(wanted, [_MEMORY_PRESSURE])
        if wanted == present:
            await self._check(attributes)
            return None
        spec["tolerations"] = wanted
        await self._check(attributes)
        return Change("tolerations of the namespace")

    async def validate(self, attributes: Attributes) -> None:
        """Refuse tolerations that the namespace, or else the cluster, does not allow."""
        await self._check(attributes)

    async def _check(self, attributes: Attributes) -> None:
        tolerations = spec_of(attributes.object).get("tolerations") or []
        if not tolerations:
            return
        allowed = _tolerations(await self._namespace(attributes), _ALLOWED)
        if allowed is None:
            allowed = self._allowed
        if allowed and not all(any(covers(one, toleration) for one in allowed) for toleration in tolerations):
            raise forbidden(
                attributes,
                "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace"
                " whitelist",
            )

    async def _namespace(self, attributes: Attributes) -> Object:
        found = await self._namespaces.get(attributes.namespace)
        if found is None:
            raise status.not_found("", "namespaces", attributes.namespace)
        return found


def _tolerations(namespace: Object, annotation: str) -> list[Any] | None:
    """What a namespace says in an annotation; None where it says nothing."""
    text = objects.annotations(namespace).get(annotation)
    if text is None:
        return None
    if not text:
        return []
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise status.unknown(str(error), 403) from error
    return found if isinstance(found, list) else []
