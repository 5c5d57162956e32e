"""`Objects` in memory for tests of hooks: counts what was written, refuses what storage would refuse."""

from __future__ import annotations

import copy
import itertools
from typing import Any

from gateway.hooks.objects import ObjectChangedError, ObjectExistsError

Object = dict[str, Any]


class DictObjects:
    """See the module."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], dict[tuple[str, str], Object]] = {}
        self.writes: list[tuple[str, str, str]] = []
        self.reads = 0
        self._revision = itertools.count(1)

    async def get(self, group: str, resource: str, namespace: str, name: str) -> Object | None:
        self.reads += 1
        return copy.deepcopy(self.held.get((group, resource), {}).get((namespace, name)))

    async def list(self, group: str, resource: str, namespace: str = "") -> list[Object]:
        self.reads += 1
        found = self.held.get((group, resource), {})
        return [copy.deepcopy(obj) for place, obj in sorted(found.items()) if not namespace or place[0] == namespace]

    async def create(self, group: str, resource: str, obj: Object) -> Object:
        place = self._place(obj)
        if place in self.held.setdefault((group, resource), {}):
            raise ObjectExistsError(f"{resource} {place}")
        return self._write("create", group, resource, obj)

    async def update(self, group: str, resource: str, obj: Object) -> Object:
        present = self.held.get((group, resource), {}).get(self._place(obj))
        if present is None or present["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
            raise ObjectChangedError(f"{resource} {self._place(obj)}")
        return self._write("update", group, resource, obj)

    async def delete(self, group: str, resource: str, obj: Object) -> None:
        self.writes.append(("delete", resource, obj["metadata"]["name"]))
        self.held[group, resource].pop(self._place(obj), None)

    def one(self, group: str, resource: str, name: str, namespace: str = "") -> Object:
        """The object itself, for a test to look at or change."""
        return self.held[group, resource][namespace, name]

    def _write(self, verb: str, group: str, resource: str, obj: Object) -> Object:
        new = copy.deepcopy(obj)
        new["metadata"]["resourceVersion"] = str(next(self._revision))
        self.held[group, resource][self._place(obj)] = new
        self.writes.append((verb, resource, obj["metadata"]["name"]))
        return copy.deepcopy(new)

    @staticmethod
    def _place(obj: Object) -> tuple[str, str]:
        return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
