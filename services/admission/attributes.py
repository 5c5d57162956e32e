"""The request as a plugin sees it: kube-apiserver's admission.Attributes, with the objects parsed only when asked for.

Made by the servicer from `kubehop.admission.v1.Attributes` once per phase and handed down the chain. Most plugins
decide on the resource and the operation alone, so a stage that admits a ConfigMap never parses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from kubehop.machinery.objects import GroupVersionKind, Object
from kubehop.pb.admission.v1 import (
    OPERATION_CONNECT,
    OPERATION_CREATE,
    OPERATION_DELETE,
    OPERATION_UPDATE,
    Operation,
)
from kubehop.pb.admission.v1 import (
    Attributes as AttributesMessage,
)
from kubehop.pb.authentication.v1 import UserInfo

CREATE: Final = OPERATION_CREATE
UPDATE: Final = OPERATION_UPDATE
DELETE: Final = OPERATION_DELETE
CONNECT: Final = OPERATION_CONNECT


@dataclass(slots=True)
class Reinvocation:
    """The second walk of the mutating phase: a webhook that changed the object asks for one."""

    wanted: bool = False
    """Whether somebody asked for it."""
    running: bool = False
    """Whether this is it."""
    kept: dict[str, Any] = field(default_factory=dict)
    """What plugins keep from the first walk for the second, by their names."""


class Attributes:
    """One request in one phase. `object` may be changed in place by a mutating plugin; all else is for reading."""

    __slots__ = (
        "_message",
        "_object",
        "_old_object",
        "_options",
        "_raw",
        "annotations",
        "dry_run",
        "group",
        "kind",
        "kind_group",
        "name",
        "namespace",
        "operation",
        "reinvocation",
        "resource",
        "subresource",
        "version",
        "warnings",
    )

    def __init__(self, message: AttributesMessage) -> None:
        self._message = message
        self._raw: bytes = message.object
        self._object: Object | None = None
        self._old_object: Object | None = None
        self._options: Object | None = None
        self.operation: Operation = message.operation
        resource = message.resource
        self.group: str = resource.group
        self.version: str = resource.version
        self.resource: str = resource.resource
        self.subresource: str = message.subresource
        kind = message.kind
        self.kind_group: str = kind.group
        self.kind: str = kind.kind
        self.namespace: str = message.namespace
        self.name: str = message.name
        self.dry_run: bool = message.dry_run
        self.warnings: list[str] = []
        self.annotations: dict[str, str] = {}
        self.reinvocation = Reinvocation()

    @property
    def raw(self) -> bytes:
        """The object as JSON after the plugins so far; empty on delete."""
        return self._raw

    @property
    def object(self) -> Object:
        """The object, parsed on first use; an empty dict where the request has none."""
        if self._object is None:
            self._object = orjson.loads(self._raw) if self._raw else {}
        return self._object

    @property
    def old_object(self) -> Object:
        """The object as it is stored, parsed on first use; an empty dict on create."""
        if self._old_object is None:
            raw = self._message.old_object
            self._old_object = orjson.loads(raw) if raw else {}
        return self._old_object

    @property
    def raw_old(self) -> bytes:
        """The object as it is stored, as JSON; empty on create."""
        return self._message.old_object

    @property
    def request_kind(self) -> GroupVersionKind:
        """The full kind of the object in this request."""
        return GroupVersionKind(self.kind_group, self._message.kind.version, self.kind)

    @property
    def has_old_object(self) -> bool:
        """Whether the request carries the stored object."""
        return bool(self._message.old_object)

    @property
    def options(self) -> Object:
        """The options of the request (CreateOptions and so on), parsed on first use."""
        if self._options is None:
            raw = self._message.options
            self._options = orjson.loads(raw) if raw else {}
        return self._options

    @property
    def user(self) -> UserInfo:
        """Who asks, for questions to the authorization stage."""
        return self._message.user

    @property
    def user_name(self) -> str:
        """Who asks."""
        return self._message.user.username

    @property
    def user_groups(self) -> tuple[str, ...]:
        """The groups of who asks."""
        return tuple(self._message.user.groups)

    @property
    def user_extra(self) -> Mapping[str, tuple[str, ...]]:
        """What else the authenticator said of who asks."""
        return {key: tuple(values.values) for key, values in self._message.user.extra.items()}

    def warn(self, text: str) -> None:
        """Give the client a warning, once however often it is said."""
        if text not in self.warnings:
            self.warnings.append(text)

    def replace(self, obj: Object) -> None:
        """Put another object in the place of `object`; `commit` makes it count."""
        self._object = obj

    def commit(self) -> tuple[Object, bytes]:
        """After a plugin changed `object` in place: the object as it was before, and the new JSON, now `raw`."""
        before: Object = orjson.loads(self._raw) if self._raw else {}
        self._raw = orjson.dumps(self.object)
        return before, self._raw
