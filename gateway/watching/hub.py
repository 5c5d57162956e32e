"""Shares upstream watches: clients of one gateway that follow the same thing are fed by one stream from storage.

Verbs call `Hub.follow`. A stream keeps its latest events, so that a client joins it wherever its start lies within
them; else the client gets a stream of its own, which others may join. Nothing is lost or repeated: a client is handed
the events after its own start, in revision order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple, Protocol

from gateway.backends import Storage
from gateway.context import RequestContext
from gateway.watching.events import ERROR, Event
from kubehop.hop import logs
from kubehop.machinery import status
from kubehop.machinery.status import StatusError
from kubehop.pb.storage.v1 import Key, WatchRequest, WatchResponse

KEPT_EVENTS = 1024
KEPT_BYTES = 4 * 1024 * 1024
MOST_PAUSE_SECONDS = 0.02
"""Longest time for which events are held back to spare writes; far below what a watch event takes to matter."""
IDLE_SECONDS = 5.0
"""How long a stream without clients stays, for those that come back at once."""
_log = logs.get()


class Subject(NamedTuple):
    """What is followed."""

    group: str
    resource: str
    namespace: str
    name: str
    label_selector: str
    field_selector: str


@dataclass(frozen=True, slots=True)
class Start:
    """Where a watch begins, in the words of the API's options."""

    resource_version: str
    resource_version_match: str = ""
    send_initial_events: bool | None = None


class Follower(Protocol):
    """A client's end of a watch."""

    def push(self, events: Sequence[Event]) -> None:
        """Take events, in order; must not wait."""

    def end(self, error: StatusError | None) -> None:
        """Learn that no more come; the error is for the client."""


class _Stream:
    """One upstream watch, its followers, and its latest events."""

    def __init__(self, subject: Subject, start: int, storage: Storage, gone: Callable[[_Stream], None]) -> None:
        self.subject = subject
        self.followers: dict[Follower, int] = {}
        self._storage = storage
        self._gone = gone
        self._events: deque[Event] = deque()
        self._bytes = 0
        self._oldest = start  # events after this revision are kept
        self._task = asyncio.create_task(self._run(start), name=f"watch {subject.resource}")
        self._idle: asyncio.TimerHandle | None = None
        self._pending: list[Event] = []
        self._fan_out_again: asyncio.TimerHandle | None = None
        self._not_before = 0.0

    def covers(self, revision: int) -> bool:
        """Say whether a follower that starts after this revision can join."""
        return revision >= self._oldest

    def join(self, follower: Follower, after: int) -> None:
        """Feed a follower the events after a revision, those kept first."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        self._fan_out()  # what is pending is among the kept ones already
        missed = [event for event in self._events if event.revision > after]
        self.followers[follower] = after
        if missed:
            follower.push(missed)

    def leave(self, follower: Follower) -> None:
        """Stop feeding a follower; a stream that nobody follows ends soon."""
        self.followers.pop(follower, None)
        if not self.followers and self._idle is None:
            self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end_if_idle)

    def stop(self) -> None:
        """End the stream."""
        self._task.cancel()
        if self._fan_out_again is not None:
            self._fan_out_again.cancel()
        if self._idle is not None:
            self._idle.cancel()

    def _end_if_idle(self) -> None:
        self._idle = None
        if not self.followers:
            self.stop()
            self._gone(self)

    async def _run(self, start: int) -> None:
        subject = self.subject
        message = WatchRequest(
            key=Key(group=subject.group, resource=subject.resource, namespace=subject.namespace, name=subject.name),
            label_selector=subject.label_selector,
            field_selector=subject.field_selector,
            resource_version=str(start),
            allow_bookmarks=True,
        )
        error: StatusError | None = None
        try:
            async for response in self._storage.watch(None, message):
                events = [Event(event) for event in response.events]
                self._keep(events)
                self._pending += events
                if self._fan_out_again is None:
                    loop = asyncio.get_running_loop()
                    if loop.time() >= self._not_before:
                        self._fan_out()
                    else:
                        self._fan_out_again = loop.call_at(self._not_before, self._fan_out)
        except StatusError as raised:
            error = raised
        except Exception:
            _log.exception("a shared watch failed unexpectedly", resource=subject.resource)
        finally:
            self._gone(self)
        self._fan_out()
        for follower in list(self.followers):
            follower.end(error)

    def _fan_out(self) -> None:
        """Give what is pending to every follower.

        Writing to hundreds of clients takes milliseconds. The next time comes after a pause as long as this one took:
        half of the process stays for requests, and when events come fast each client gets several in one write.
        """
        if self._fan_out_again is not None:
            self._fan_out_again.cancel()
            self._fan_out_again = None
        events, self._pending = self._pending, []
        if not events:
            return
        loop = asyncio.get_running_loop()
        began, started = loop.time(), perf_counter()
        for follower, after in list(self.followers.items()):
            fresh: Sequence[Event] = events
            if after and events[0].revision <= after:
                fresh = [event for event in events if event.revision > after or event.type == ERROR]
            if not fresh:
                continue
            try:
                follower.push(fresh)
            except Exception:
                # one that cannot be served must not cost the others an event
                _log.exception("a watch failed unexpectedly", resource=self.subject.resource)
                self.leave(follower)
                follower.end(status.internal_error("the watch failed"))
        # the loop's own clock stands still during a callback
        ended = began + (perf_counter() - started)
        self._not_before = ended + min(ended - began, MOST_PAUSE_SECONDS)

    def _keep(self, events: Sequence[Event]) -> None:
        for event in events:
            self._events.append(event)
            self._bytes += len(event.object)
        while len(self._events) > KEPT_EVENTS or self._bytes > KEPT_BYTES:
            dropped = self._events.popleft()
            self._bytes -= len(dropped.object)
            self._oldest = max(self._oldest, dropped.revision)


class Hub:
    """All upstream watches of this gateway."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._streams: dict[Subject, list[_Stream]] = {}

    async def follow(
        self, request: RequestContext, subject: Subject, start: Start, follower: Follower
    ) -> Callable[[], None]:
        """Feed a follower from a start on; returns what to call when it wants no more.

        A watch from a revision joins a shared stream. One with initial events reads them on a stream of its own first
        and joins at the revision where they end.
        """
        version = start.resource_version
        if version.isdecimal() and int(version) > 0 and not start.send_initial_events:
            return self._join(subject, int(version), follower)
        prologue = _Prologue(self, request, subject, start, follower)
        prologue.begin()
        return prologue.leave

    def close(self) -> None:
        """End every stream."""
        for streams in self._streams.values():
            for stream in streams:
                stream.stop()
        self._streams.clear()

    def open(self, request: RequestContext, subject: Subject, start: Start) -> AsyncGenerator[WatchResponse, None]:
        """Open an upstream watch that is not shared."""
        message = WatchRequest(
            key=Key(group=subject.group, resource=subject.resource, namespace=subject.namespace, name=subject.name),
            label_selector=subject.label_selector,
            field_selector=subject.field_selector,
            resource_version=start.resource_version,
            resource_version_match=start.resource_version_match,
            allow_bookmarks=True,
        )
        if start.send_initial_events is not None:
            message.send_initial_events = start.send_initial_events
        return self._storage.watch(request, message)

    def _join(self, subject: Subject, after: int, follower: Follower) -> Callable[[], None]:
        streams = self._streams.setdefault(subject, [])
        stream = next((stream for stream in streams if stream.covers(after)), None)
        if stream is None:
            stream = _Stream(subject, after, self._storage, self._drop)
            streams.append(stream)
        stream.join(follower, after)
        return lambda: stream.leave(follower)

    def _drop(self, stream: _Stream) -> None:
        streams = self._streams.get(stream.subject)
        if streams and stream in streams:
            streams.remove(stream)
            if not streams:
                del self._streams[stream.subject]


class _Prologue:
    """The initial events of one follower, after which it joins a shared stream."""

    def __init__(self, hub: Hub, request: RequestContext, subject: Subject, start: Start, follower: Follower) -> None:
        self._hub = hub
        self._request = request
        self._subject = subject
        self._start = start
        self._follower = follower
        self._leave: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start reading."""
        self._task = asyncio.create_task(self._run(), name=f"watch {self._subject.resource} from the beginning")

    def leave(self) -> None:
        """Stop, wherever it stands."""
        if self._task is not None:
            self._task.cancel()
        if self._leave is not None:
            self._leave()

    async def _run(self) -> None:
        error: StatusError | None = None
        try:
            async with aclosing(self._hub.open(self._request, self._subject, self._start)) as upstream:
                async for response in upstream:
                    events = [Event(event) for event in response.events]
                    self._follower.push(events)
                    if any(event.initial_events_end for event in events):
                        self._leave = self._hub._join(self._subject, events[-1].revision, self._follower)
                        return
        except StatusError as raised:
            error = raised
        except Exception:
            _log.exception("a watch failed unexpectedly", resource=self._subject.resource)
        self._follower.end(error)
