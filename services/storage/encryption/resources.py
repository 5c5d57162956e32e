"""Which resource a key belongs to: the way back from `keys`, for rules that name resources."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from services.storage.encryption.configuration import GroupResource
from services.storage.keys import GROUPED, SPECIAL_PREFIXES


@lru_cache(maxsize=1)
def _built_in() -> dict[str, GroupResource]:
    """Built-in resources by their place below the root; where two groups share one, the older group's."""
    from kubehop.kinds import catalogue

    found: dict[str, GroupResource] = {}
    resources = sorted(catalogue.storage_resources(), key=lambda resource: resource.group, reverse=True)
    for resource in resources:
        found[resource.storage_prefix] = GroupResource(resource.group, resource.name)
    for (group, name), prefix in SPECIAL_PREFIXES.items():
        if group != "extensions":
            found[prefix] = GroupResource(group, name)
    # events.k8s.io keeps its objects with those of the core group
    found["events"] = GroupResource("", "events")
    return found


_NOBODY: Final = GroupResource("", "")


class Places:
    """Resources by key, below one root."""

    def __init__(self, root: str) -> None:
        self._root = root

    def resource_of(self, key: str) -> GroupResource:
        """The resource of an object's key; of keys outside the root that of nobody."""
        if not key.startswith(self._root):
            return _NOBODY
        first, _, rest = key[len(self._root) :].partition("/")
        second = rest.partition("/")[0]
        built_in = _built_in()
        found = built_in.get(f"{first}/{second}") or built_in.get(first)
        if found is not None:
            return found
        if "." in first or first in GROUPED:
            return GroupResource(first, second)
        return GroupResource("", first)
