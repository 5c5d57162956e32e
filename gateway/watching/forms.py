"""The lines that a watching client gets: events as stored, as Tables, as metadata only, in other versions.

A `Renderer` belongs to one client; what it encodes is kept on the event, so that clients that want the same form share
the work. Bookmarks and errors are composed here (apiserver pkg/endpoints/handlers/{response,watch}.go).
"""

from __future__ import annotations

import orjson

from gateway.context import RequestContext
from gateway.forms import TABLE, as_table, encoded, speaks_storage, target
from gateway.scopes import Scope
from gateway.watching.events import BOOKMARK, ERROR, Event, frame
from kubehop.kinds import convert
from kubehop.machinery import status, table
from kubehop.machinery.negotiation import Accepted
from kubehop.machinery.objects import Object
from kubehop.machinery.status import StatusError
from kubehop.pb.storage.v1 import ERROR_REASON_EXPIRED, ERROR_REASON_FUTURE_REVISION

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class Renderer:
    """Makes the lines of one client."""

    def __init__(self, request: RequestContext, scope: Scope, accepted: Accepted, *, bookmarks: bool) -> None:
        self._request = request
        self._scope = scope
        self._accepted = accepted
        self._bookmarks = bookmarks
        self._kind = target(accepted)
        self._version = accepted.convert.version if accepted.convert else ""
        self._stored = not self._kind and speaks_storage(scope)
        self._headers = True  # only the first Table of a watch has column definitions
        include = request.query.get("includeObject", "")
        self._form = f"{scope.resource.api_version}/{self._kind}/{self._version}/{include}"

    def line(self, event: Event) -> bytes:
        """Return the line of an event, b"" for what this client does not get."""
        if event.type == BOOKMARK:
            if not self._bookmarks:
                return b""
            form = f"{self._form}/{self._headers}" if self._kind == TABLE else self._form
            line = event.line(form, self._bookmark)
        elif event.type == ERROR:
            return error_line(event_error(event))
        elif self._stored:
            return event.line("stored", _stored)
        else:
            form = f"{self._form}/{self._headers}" if self._kind == TABLE else self._form
            line = event.line(form, self._transformed)
        self._headers = False
        return line

    def _transformed(self, event: Event) -> bytes:
        obj: Object = orjson.loads(event.object)
        return encoded(self._form_of(obj), self._accepted)

    def _form_of(self, obj: Object) -> Object:
        if self._kind == TABLE:
            metadata = obj.get("metadata") or {}
            return as_table(self._request, self._scope, [obj], metadata, self._version, headers=self._headers)
        if self._kind:
            return table.partial_object_metadata(obj, self._version)
        return convert.to_served(obj, self._scope.resource)

    def _bookmark(self, event: Event) -> bytes:
        resource = self._scope.resource
        metadata: Object = {"resourceVersion": str(event.revision)}
        if event.initial_events_end:
            metadata["annotations"] = {INITIAL_EVENTS_END: "true"}
        obj = {"kind": resource.kind, "apiVersion": resource.storage_api_version, "metadata": metadata}
        return encoded(self._form_of(obj), self._accepted)


def _stored(event: Event) -> bytes:
    return event.object


def event_error(event: Event) -> StatusError:
    """Return what the client is told of an error that ended the watch in the store."""
    if event.reason == ERROR_REASON_EXPIRED:
        return status.resource_expired(event.message)
    if event.reason == ERROR_REASON_FUTURE_REVISION:
        return status.timeout(event.message, retry_after=1)
    return status.internal_error(event.message)


def error_line(error: StatusError) -> bytes:
    """Return the line that ends a watch with an error."""
    return frame(ERROR, orjson.dumps(error.status))
