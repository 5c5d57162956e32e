"""One resource of the storage stage, kept current in memory.

A `Reflector` watches its collection over the hop: first the current objects, closed by a bookmark, then every change.
It resumes where it stopped when the connection breaks, and reads everything anew when storage no longer has the
changes since then; meanwhile it keeps what it had and says how old that is. The mechanism is that of client-go's
reflector with WatchList. Stages run it, read `items`, and take changes through `on_change`.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

import grpc
import orjson

from kubehop.hop import logs
from kubehop.hop.calls import CallContext
from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import (
    ERROR_REASON_EXPIRED,
    ERROR_REASON_FUTURE_REVISION,
    EVENT_TYPE_ADDED,
    EVENT_TYPE_BOOKMARK,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_ERROR,
    EVENT_TYPE_MODIFIED,
    ErrorReason,
    EventType,
    Key,
    StorageRpcs,
    WatchEvent,
    WatchRequest,
    WatchResponse,
)
from kubehop.reflector.backoff import Backoff
from kubehop.reflector.pulse import Pulse

Object = dict[str, Any]
"""An object as orjson decodes it."""
ObjectKey = tuple[str, str]
"""Namespace (empty for cluster-scoped resources) and name."""
OnChange = Callable[[EventType, Object], None]


@dataclass(frozen=True, slots=True)
class ReflectorSettings:
    """Times of a reflector, seconds."""

    backoff_initial: float = 0.05
    """First pause after a failure; short, because a restarted storage is back at once."""
    backoff_max: float = 1.0
    """Longest pause: decisions must follow soon after storage is back."""


_LOST = frozenset({ErrorReason.Name(ERROR_REASON_EXPIRED), ErrorReason.Name(ERROR_REASON_FUTURE_REVISION)})
"""Reasons for which storage cannot go on from our revision: compacted, or the store has been restored to the past."""


class Reflector:
    """The objects of one resource, as current as the last message from storage."""

    def __init__(
        self,
        storage: StageClient,
        group: str,
        resource: str,
        *,
        on_change: OnChange | None = None,
        keep: Callable[[Object], Object] | None = None,
        pulse: Pulse | None = None,
        settings: ReflectorSettings = ReflectorSettings(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reflect one resource over all namespaces.

        on_change is told of every change after it is in `items`: ADDED, MODIFIED or DELETED (with the last state), in
        revision order, and after a resync the differences. It must not raise. keep makes what `items` holds of an
        object, for owners that take what they need in on_change and have many objects; it must leave name, namespace
        and resourceVersion in metadata. The reflectors of a process share one pulse.
        """
        self.title = f"{resource}.{group}" if group else resource
        """The resource's name for logs and tasks."""
        self.synced = asyncio.Event()
        """Set once the whole collection has been seen; stays set."""
        self.revision = 0
        """Revision up to which every change is in `items`; 0 before the first sync."""
        self._storage = storage
        self._key = Key(group=group, resource=resource)
        self._on_change = on_change
        self._keep = keep
        self._pulse = pulse or Pulse(storage, clock=clock)
        self._clock = clock
        self._items: dict[ObjectKey, Object] = {}
        self._resume = 0
        self._contact = -math.inf
        self._backoff = Backoff(settings.backoff_initial, settings.backoff_max)
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._log = logs.get(resource=self.title)
        self._complaint = ""

    @property
    def items(self) -> Mapping[ObjectKey, Object]:
        """The objects by namespace and name: a live view, never to be changed."""
        return MappingProxyType(self._items)

    @property
    def contact(self) -> float:
        """When storage was last heard, by the clock; minus infinity before the first sync.

        Events and bookmarks count, and the answers to the pulse.
        """
        return self._contact if self.synced.is_set() else -math.inf

    @property
    def age(self) -> float:
        """Seconds since storage was last heard; infinite before the first sync."""
        return self._clock() - self.contact

    def fresh_for(self, seconds: float) -> bool:
        """Tell whether the collection is synced and storage was heard within these seconds."""
        return self.age <= seconds

    async def wait_for(self, revision: int, timeout: float) -> None:  # noqa: ASYNC109 - the caller's bound, not ours
        """Wait until every change up to a revision is in `items`. Raises TimeoutError after timeout seconds."""
        if self.revision >= revision:
            return
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((revision, reached))
        async with asyncio.timeout(timeout):
            await reached

    async def run(self) -> None:
        """Keep the items current, forever; cancelling ends it. Failures of storage are waited out."""
        while True:
            problem = await self._attempt()
            if problem and problem != self._complaint:
                self._complaint = problem
                self._log.warning("the watch broke off, trying again", because=problem, revision=self.revision)
            await asyncio.sleep(self._backoff.pause())

    async def _attempt(self) -> str:
        """Watch until it breaks off; return why, or nothing where the hop's client says it or it ended in order."""
        try:
            await self._follow()
        except TimeoutError:
            return "storage does not answer"
        except HopError as error:
            if error.reason in _LOST:
                self._resume = 0
                return f"{error.message}; reading everything anew"
            return "" if error.code is grpc.StatusCode.UNAVAILABLE and not error.reason else error.message
        return ""

    async def _follow(self) -> None:
        """Watch from where we are until the stream ends. Raises TimeoutError when storage falls silent for good."""
        request = WatchRequest(key=self._key, allow_bookmarks=True)
        incoming: _Snapshot | None = None
        if self._resume:
            request.resource_version = str(self._resume)
        else:
            request.send_initial_events = True
            request.resource_version_match = "NotOlderThan"
            incoming = _Snapshot()
        # the client's stream is an async generator, which its type does not tell: closing it cancels the watch
        stream = cast(
            "AsyncGenerator[WatchResponse, None]", self._storage.stream(StorageRpcs.WATCH, request, CallContext())
        )
        async with asyncio.timeout(None) as watchdog, aclosing(stream):
            # nothing need come on a watch that was resumed, so that it asks at once
            silent_since = -math.inf if incoming is None else self._clock()
            prober = asyncio.create_task(self._probe(watchdog, silent_since), name=f"probe {self.title}")
            try:
                async for response in stream:
                    self._heard()
                    for event in response.events:
                        if event.type == EVENT_TYPE_ERROR:
                            _fail(event)
                        elif incoming is None:
                            self._apply(event)
                        elif incoming.take(event):
                            self._replace(incoming, event.revision)
                            incoming = None
            finally:
                prober.cancel()

    async def _probe(self, watchdog: asyncio.Timeout, silent_since: float) -> None:
        """In silence, ask whether storage is still there; if not, the watch is over."""
        interval = self._pulse.interval
        heard = self._contact
        while True:
            if self._contact > heard:
                heard = silent_since = self._contact
            silent = self._clock() - silent_since
            if silent < interval:
                await asyncio.sleep(interval - silent)
                continue
            try:
                answered = await self._pulse.answered()
            except HopError as error:
                self._log.debug("storage does not answer", because=error.message)
                watchdog.reschedule(asyncio.get_running_loop().time())
                return
            self._contact = max(self._contact, answered)
            silent_since = self._clock()

    def _heard(self) -> None:
        self._contact = self._clock()
        self._backoff.reset()
        self._complaint = ""

    def _apply(self, event: WatchEvent) -> None:
        """Take one change in."""
        if event.type != EVENT_TYPE_BOOKMARK:
            obj: Object = orjson.loads(event.object)
            key = _key_of(obj)
            if event.type == EVENT_TYPE_DELETED:
                self._items.pop(key, None)
            else:
                self._put(key, obj)
            self._tell(event.type, obj)
        self._reach(event.revision)

    def _replace(self, incoming: _Snapshot, revision: int) -> None:
        """Take a whole collection in, telling the differences to what was there."""
        for key in [key for key in self._items if key not in incoming.objects]:
            self._tell(EVENT_TYPE_DELETED, self._items.pop(key))
        for key, obj in incoming.objects.items():
            known = self._items.get(key)
            if known is not None and _version_of(known) == _version_of(obj):
                continue
            self._put(key, obj)
            self._tell(EVENT_TYPE_ADDED if known is None else EVENT_TYPE_MODIFIED, obj)
        # not the higher of this and the one before: a store restored from a backup counts from its own revision on
        self.revision = revision
        self._reach(revision)
        if not self.synced.is_set():
            self._log.info("synced", objects=len(self._items), revision=self.revision)
            self.synced.set()

    def _put(self, key: ObjectKey, obj: Object) -> None:
        self._items[key] = obj if self._keep is None else self._keep(obj)

    def _tell(self, kind: EventType, obj: Object) -> None:
        if self._on_change is not None:
            self._on_change(kind, obj)

    def _reach(self, revision: int) -> None:
        self.revision = self._resume = max(self.revision, revision)
        if not self._waiting:
            return
        for wanted, reached in self._waiting:
            if wanted <= self.revision and not reached.done():
                reached.set_result(None)
        self._waiting = [(wanted, reached) for wanted, reached in self._waiting if not reached.done()]


class _Snapshot:
    """The objects of a watch's beginning, collected until the bookmark that ends them."""

    def __init__(self) -> None:
        self.objects: dict[ObjectKey, Object] = {}

    def take(self, event: WatchEvent) -> bool:
        """Collect an event; return whether it ends the initial ones."""
        if event.type == EVENT_TYPE_BOOKMARK:
            return event.initial_events_end
        obj: Object = orjson.loads(event.object)
        if event.type == EVENT_TYPE_DELETED:
            self.objects.pop(_key_of(obj), None)
        else:
            self.objects[_key_of(obj)] = obj
        return False


def _key_of(obj: Object) -> ObjectKey:
    metadata = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def _version_of(obj: Object) -> str | None:
    version: str | None = obj["metadata"].get("resourceVersion")
    return version


def _fail(event: WatchEvent) -> None:
    """Raise what an error event says."""
    error = event.error
    reason = ErrorReason.Name(error.reason)
    raise HopError(grpc.StatusCode.UNAVAILABLE, error.message or reason, reason=reason)
