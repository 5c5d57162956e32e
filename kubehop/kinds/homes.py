"""Where a resource keeps what is its own: the module `kubehop.kinds.<group's package>.<resource>`.

`tables` and `strategy` look here. A resource without such a module has nothing of its own and behaves like any other.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from types import ModuleType
from typing import TypeVar

from kubehop.kinds.resource import Resource

T = TypeVar("T")


@functools.cache
def home(package: str, resource: str) -> ModuleType | None:
    """Return the module of a resource, importing it on first use; None where it has none."""
    path = f"kubehop.kinds.{package}.{resource}"
    return importlib.import_module(path) if importlib.util.find_spec(path) else None


def attribute(resource: Resource, name: str, kind: type[T]) -> T | None:
    """Return what a resource's module calls `name`, None where it has no such thing.

    Raises TypeError where the module calls something else by that name.
    """
    module = home(resource.home, resource.name) if resource.home else None
    found = getattr(module, name, None)
    if found is not None and not isinstance(found, kind):
        raise TypeError(f"{module}.{name} is no {kind.__name__}")
    return found


def subclass(resource: Resource, name: str, base: type[T]) -> type[T] | None:
    """Return the class that a resource's module calls `name`, None where it has no such thing.

    Raises TypeError where the module calls something by that name that is no subclass of `base`.
    """
    found = attribute(resource, name, type)
    if found is not None and not issubclass(found, base):
        raise TypeError(f"{found} is no {base.__name__}")
    return found
