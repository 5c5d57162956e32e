"""What a path shows of the objects in the store, and how what is written there gets back into them.

Most paths show the object itself, in the version that they speak. `gateway.subresources.scale` has a view of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.scopes import Scope
from kubehop.kinds import convert
from kubehop.kinds.resource import Resource
from kubehop.kinds.strategy import strategy_for
from kubehop.machinery.negotiation import Accepted
from kubehop.machinery.objects import Object


class View(Protocol):
    """A way to see the objects of a resource."""

    subresource: str
    """What the strategy is told: its rules may differ by subresource."""

    def show(self, stored: Object) -> Object:
        """Return what clients and admission see of a stored object."""

    def take(self, shown: Object, stored: Object) -> Object:
        """Return the stored object with what was written. Raises what is wrong with it by itself."""

    def default(self, shown: Object) -> None:
        """Fill in what is filled in when such an object is read. Changes the object."""


class ObjectView:
    """The object itself, in the version of its row."""

    def __init__(self, resource: Resource, subresource: str = "") -> None:
        self.subresource = subresource
        self._resource = resource
        self._strategy = strategy_for(resource)

    def show(self, stored: Object) -> Object:
        """Return the object in the served version."""
        return convert.to_served(stored, self._resource)

    def take(self, shown: Object, stored: Object) -> Object:  # noqa: ARG002 - nothing of the old object is needed
        """Return the object in the stored version."""
        return convert.to_storage(shown, self._resource)

    def default(self, shown: Object) -> None:
        """Fill in the kind's defaults."""
        self._strategy.default(shown)


ViewOf = Callable[[Scope], View]
"""Chooses the view of a request."""
Show = Callable[[RequestContext, Scope, Accepted, bytes, int], Answer]
"""Answers with a stored object as a view shows it."""


def view_of_object(scope: Scope) -> View:
    """Return the view of the object itself, or of the part that the subresource is."""
    return object_view(scope.resource, scope.subresource_name)


@lru_cache(maxsize=512)
def object_view(resource: Resource, subresource: str = "") -> ObjectView:
    """Return the view of the object itself, or of a subresource that is a part of it (status and the like)."""
    return ObjectView(resource, subresource)
