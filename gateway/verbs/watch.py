"""WATCH: a stream of events until the time is over, the client leaves, or the gateway ends.

As apiserver pkg/endpoints/handlers/{get,watch}.go; sharing and forms are in `gateway.watching`.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from gateway.answers import JSON, Answer
from gateway.context import RequestContext
from gateway.forms import TABLE, include_object, target
from gateway.negotiating import PLAIN, negotiate
from gateway.scopes import Scope
from gateway.verbs.selecting import check_version, read_options
from gateway.verbs.tools import Tools
from gateway.watching.client import Watcher
from gateway.watching.forms import Renderer
from gateway.watching.hub import Start, Subject
from kubehop.machinery import negotiation, status

if TYPE_CHECKING:
    from gateway.options import ListOptions
    from gateway.routing import Verb


def verb(tools: Tools) -> Verb:
    """Return the verb."""
    lifecycle, metrics = tools.lifecycle, tools.metrics

    async def watch(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        if target(accepted) == TABLE:
            include_object(request)
        options = read_options(request, scope, watch=True)
        if accepted is not PLAIN:
            accepted = negotiate(request, negotiation.WATCHES)
        if options.resource_version:
            check_version(options.resource_version)

        info = request.info
        renderer = Renderer(request, scope, accepted, bookmarks=options.allow_bookmarks)
        metrics.long_running(info, 1)
        sink = request.wire.open_stream(request, 200, JSON)
        watcher = Watcher(sink, renderer, metrics.events(info.api_group, info.api_version, info.resource))
        start = Start(options.resource_version, options.resource_version_match, options.send_initial_events)
        leave = await tools.hub.follow(request, subject_of(request, scope, options), start, watcher)
        try:
            await _until_over(watcher, _seconds(options, tools.min_request_timeout), lifecycle.ending)
            if not watcher.begun and options.send_initial_events:
                # the version asked for was not reached in time: the client must not take this for an empty collection
                watcher.end(status.timeout("the initial events could not be read in time", retry_after=1))
        finally:
            leave()
            metrics.long_running(info, -1)
        sink.close()
        return Answer.of_stream(200, sink.size)

    return watch


def subject_of(request: RequestContext, scope: Scope, options: ListOptions) -> Subject:
    """Return what is followed: equal ones share a stream."""
    key = scope.collection_key(request.info.name)
    return Subject(key.group, key.resource, key.namespace, key.name, options.label_selector, options.field_selector)


def _seconds(options: ListOptions, least: float) -> float:
    """Return how long the watch lasts: as asked for, else between the minimum and twice that, so that not all end at
    once."""
    if options.timeout_seconds:
        return float(options.timeout_seconds)
    return least * (1.0 + random.random())  # noqa: S311 - spreads load, no secret


async def _until_over(watcher: Watcher, seconds: float, ending: asyncio.Event) -> None:
    """Wait for whichever comes first: the watch's own end, its time, or the gateway's end."""
    tasks = [asyncio.create_task(watcher.wait()), asyncio.create_task(ending.wait())]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
