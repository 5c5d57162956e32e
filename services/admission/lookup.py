"""Finding objects that a decision depends on: memory first, storage where memory does not have it.

Memory may be some milliseconds behind; what a client was told to exist is found all the same, because a miss is
answered by storage. Default classes are chosen here too, for two plugins choose theirs alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kubehop.machinery.objects import Object, metadata
from services.admission.cluster import Cluster, Replica


@dataclass(frozen=True, slots=True)
class Lookup:
    """One resource for look-ups by name."""

    cluster: Cluster
    group: str
    resource: str
    replica: Replica

    @classmethod
    def of(cls, cluster: Cluster, group: str, resource: str) -> Lookup:
        """To be made while a plugin is built."""
        return cls(cluster, group, resource, cluster.replica(group, resource))

    async def get(self, name: str, namespace: str = "") -> Object | None:
        """The object, or None where storage has none either."""
        found = self.replica.items.get((namespace, name))
        return found if found is not None else await self.live(name, namespace)

    async def live(self, name: str, namespace: str = "") -> Object | None:
        """The object as storage has it now, or None."""
        return await self.cluster.get(self.group, self.resource, namespace, name)


def newest(objects: Iterable[Object], is_default: Callable[[Object], bool]) -> Object | None:
    """The default among these: the one created last, by name where that is the same second."""
    # RFC 3339 in UTC to the second sorts as text
    defaults = sorted((obj for obj in objects if is_default(obj)), key=lambda obj: metadata(obj)["name"])
    return max(defaults, key=lambda obj: metadata(obj).get("creationTimestamp") or "", default=None)
