"""What a plugin is: the Protocols that the chain calls, and the refusals that plugins raise.

A plugin refuses by raising `kubehop.machinery.status.StatusError`; anything else that it raises is a fault of the
stage and fails the RPC. What the chain promises: `admit` and `validate` are called only for operations and resources
that the plugin names, one plugin at a time, in the order of `chain.ORDER`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from kubehop.machinery import status
from kubehop.machinery.objects import metadata
from kubehop.pb.admission.v1 import Operation
from services.admission.attributes import Attributes


@dataclass(frozen=True, slots=True)
class Change:
    """A mutating plugin changed `attributes.object` in place."""

    summary: str
    """What it did, in words for the journey."""


@runtime_checkable
class Plugin(Protocol):
    """What every plugin has."""

    @property
    def name(self) -> str:
        """Its name in kube-apiserver's flags."""

    def handles(self, operation: Operation) -> bool:
        """Whether it looks at this operation at all."""

    def concerns(self, group: str, resource: str, subresource: str) -> bool:
        """Whether it looks at this resource. Must depend on nothing else: the chain remembers the answer."""


@runtime_checkable
class Mutating(Plugin, Protocol):
    """A plugin of the mutating phase."""

    async def admit(self, attributes: Attributes) -> Change | None:
        """Change `attributes.object` in place and say so, or leave it and return None; StatusError refuses."""


@runtime_checkable
class Validating(Plugin, Protocol):
    """A plugin of the validating phase."""

    async def validate(self, attributes: Attributes) -> None:
        """StatusError refuses. The object must not be changed."""


class Scoped:
    """The common case of a plugin: certain operations on certain resources, told as class attributes."""

    operations: ClassVar[frozenset[Operation]]
    """The operations that it looks at."""
    places: ClassVar[frozenset[tuple[str, str, str]]]
    """What it looks at: (group, resource, subresource)."""

    def handles(self, operation: Operation) -> bool:
        """Whether it looks at this operation at all."""
        return operation in self.operations

    def concerns(self, group: str, resource: str, subresource: str) -> bool:
        """Whether it looks at this resource."""
        return (group, resource, subresource) in self.places


def object_name(attributes: Attributes) -> str:
    """The name that a refusal gives the object: that of the request, of the object, what it is generated from, Unknown.

    apiserver: pkg/admission/errors.go, extractResourceName.
    """
    if attributes.name:
        return attributes.name
    if attributes.raw:
        meta = metadata(attributes.object)
        return meta.get("name") or meta.get("generateName") or "Unknown"
    return "Unknown"


def forbidden(attributes: Attributes, message: str, causes: list[dict[str, str]] | None = None) -> status.StatusError:
    """403 about the object of the request, as apiserver's admission.NewForbidden makes it."""
    return status.forbidden(attributes.group, attributes.resource, object_name(attributes), message, causes or [])


def not_found(attributes: Attributes) -> status.StatusError:
    """404 about the object of the request, as apiserver's admission.NewNotFound makes it."""
    return status.not_found(attributes.group, attributes.resource, object_name(attributes))


def aggregate(messages: Iterable[str]) -> str:
    """Several messages as Go's aggregate of errors prints them: one as it is, more in brackets, none twice."""
    unique = list(dict.fromkeys(messages))
    return unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
