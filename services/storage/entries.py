"""One object in memory: ready-to-serve bytes, and what selectors look at.

The watch cache makes an `Entry` of each key-value pair that etcd reports; lists, gets and watches serve its bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson

from services.storage import documents
from services.storage.errors import CorruptError, UnreadableError
from services.storage.keys import split

_SEALED: Final = "sealed: "
_NO_LABELS: Final[Mapping[str, str]] = {}


class Unreadable(bytes):
    """In place of a value that cannot be decrypted: no bytes, and the reason."""

    why: str

    def __new__(cls, why: str) -> Unreadable:
        """Keep the reason."""
        made = super().__new__(cls)
        made.why = why
        return made


class Entry:
    """An object as of one revision. Immutable, apart from what is computed at the first use and kept."""

    __slots__ = ("_fields", "body", "corrupt", "head", "key", "known_labels", "revision")

    def __init__(self, key: str, value: bytes, revision: int) -> None:
        """Read a value from etcd; one that is not JSON is kept as corrupt, to fail the reads of this object alone."""
        self.key = key
        self.revision = revision
        self.known_labels: Mapping[str, str] | None = None
        """The labels if they have been asked for before; spares large lists a call per object."""
        self._fields: dict[str, str] | None = None
        self.corrupt = ""
        if type(value) is Unreadable:
            self.corrupt = _SEALED + value.why
            self.head = self.body = b""
            return
        try:
            document = documents.read(value)
        except documents.MalformedError as error:
            self.corrupt = str(error)
            self.head = self.body = b""
            return
        self.head = document.head
        self.body = documents.body(document.rest, revision)

    @property
    def json(self) -> bytes:
        """The whole object with its resourceVersion.

        Raises:
            CorruptError: the value in etcd is not a JSON object.
        """
        self.check()
        return self.head + self.body

    def json_at(self, revision: int) -> bytes:
        """The whole object with another resourceVersion: the last state of a deleted object carries the deletion's."""
        self.check()
        return self.head + documents.body(documents.rest_of(self.body, self.revision), revision)

    def check(self) -> None:
        """Refuse to serve what cannot be decoded."""
        if self.corrupt.startswith(_SEALED):
            raise UnreadableError(self.key, self.corrupt[len(_SEALED) :])
        if self.corrupt:
            raise CorruptError(self.key, self.corrupt)

    def holds(self, document: documents.Document) -> bool:
        """Whether the stored bytes equal the document's."""
        return self.head == document.head and self.body == documents.body(document.rest, self.revision)

    @property
    def labels(self) -> Mapping[str, str]:
        """metadata.labels; decoded at the first use, because most objects are never asked by label."""
        labels = self.known_labels
        if labels is None:
            found = self._decoded().get("metadata", {}).get("labels")
            # interned: keys and most values repeat from object to object
            labels = {sys.intern(k): sys.intern(str(v)) for k, v in found.items()} if found else _NO_LABELS
            self.known_labels = labels
        return labels

    def fields(self, names: Iterable[str], resource_prefix: str) -> Mapping[str, str]:
        """Values of selectable fields, computed at the first use of each."""
        known = self._fields
        if known is None:
            known = self._fields = {}
        decoded: dict[str, Any] | None = None
        for name in names:
            if name in known:
                continue
            if name == "metadata.name":
                known[name] = split(self.key, resource_prefix)[1]
            elif name == "metadata.namespace":
                known[name] = split(self.key, resource_prefix)[0]
            else:
                if decoded is None:
                    decoded = self._decoded()
                known[name] = sys.intern(selectable(decoded, name))
        return known

    @property
    def uid(self) -> str:
        """metadata.uid, for preconditions."""
        return str(self._decoded().get("metadata", {}).get("uid", ""))

    def _decoded(self) -> dict[str, Any]:
        self.check()
        try:
            decoded: dict[str, Any] = orjson.loads(self.head + self.body)
        except orjson.JSONDecodeError as error:
            raise CorruptError(self.key, str(error)) from None
        return decoded


def _event_source(found: dict[str, Any]) -> str:
    source = found.get("source") or {}
    return source.get("component") or found.get("reportingComponent") or ""


def _event_reporter(found: dict[str, Any]) -> str:
    return found.get("reportingComponent") or ""


# Selectable fields which are not simply the text at their path. Paths of booleans and numbers that Go leaves out of the
# JSON when they are zero need their zero here; sources: the *ToSelectableFields functions below
# kubernetes/kubernetes pkg/registry (core/node, core/pod, core/event, apps/replicaset, batch/job, ...).
_ZEROS: Final[Mapping[str, str]] = {
    "spec.unschedulable": "false",
    "spec.hostNetwork": "false",
    "status.replicas": "0",
    "status.successful": "0",
}
_COMPUTED: Final[Mapping[tuple[str, str], Callable[[dict[str, Any]], str]]] = {
    ("Event", "source"): _event_source,
    ("Event", "reportingComponent"): _event_reporter,
    ("Job", "status.successful"): lambda found: _text((found.get("status") or {}).get("succeeded"), "0"),
    ("Namespace", "name"): lambda found: str((found.get("metadata") or {}).get("name", "")),
}


def selectable(found: dict[str, Any], name: str) -> str:
    """Value of a selectable field as field selectors compare it."""
    computed = _COMPUTED.get((found.get("kind", ""), name))
    if computed is not None:
        return computed(found)
    value: Any = found
    for part in name.split("."):
        if not isinstance(value, dict):
            value = None
            break
        value = value.get(part)
    return _text(value, _ZEROS.get(name, ""))


def _text(value: Any, default: str) -> str:
    if value is None:
        return default
    if value is True:
        return "true"
    if value is False:
        return "false"
    return value if isinstance(value, str) else orjson.dumps(value).decode()
