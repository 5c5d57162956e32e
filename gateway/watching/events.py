"""One watch event and the lines that clients get for it, each form encoded once however many clients there are.

Made by `gateway.watching.hub` from what storage sends, rendered by `gateway.watching.forms`.
"""

from __future__ import annotations

from collections.abc import Callable

from kubehop.pb.storage.v1 import (
    EVENT_TYPE_ADDED,
    EVENT_TYPE_BOOKMARK,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_ERROR,
    EVENT_TYPE_MODIFIED,
    WatchEvent,
)

ADDED, MODIFIED, DELETED, BOOKMARK, ERROR = "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"

TYPES = {
    EVENT_TYPE_ADDED: ADDED,
    EVENT_TYPE_MODIFIED: MODIFIED,
    EVENT_TYPE_DELETED: DELETED,
    EVENT_TYPE_BOOKMARK: BOOKMARK,
    EVENT_TYPE_ERROR: ERROR,
}

_PREFIX = {kind: f'{{"type":"{kind}","object":'.encode() for kind in (ADDED, MODIFIED, DELETED, BOOKMARK, ERROR)}


class Event:
    """A change, in revision order, as storage sent it."""

    __slots__ = ("_lines", "initial_events_end", "message", "object", "reason", "revision", "type")

    def __init__(self, message: WatchEvent) -> None:
        self.type = TYPES[message.type]
        self.object = message.object
        self.revision = message.revision
        self.initial_events_end = message.initial_events_end
        self.reason = message.error.reason
        """storage.v1 ErrorReason of an ERROR."""
        self.message = message.error.message
        self._lines: dict[str, bytes] = {}

    def line(self, form: str, encode: Callable[[Event], bytes]) -> bytes:
        """Return the line of this event in a form, encoding the object only the first time."""
        line = self._lines.get(form)
        if line is None:
            line = self._lines[form] = frame(self.type, encode(self))
        return line


def frame(kind: str, obj: bytes) -> bytes:
    """Return the line of an event of a type with its encoded object."""
    return b"%b%b}\n" % (_PREFIX[kind], obj)
