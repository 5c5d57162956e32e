"""The way of every request through the gateway: one list, in execution order, outermost first.

Read this file first. The order is that of kube-apiserver's handler chain (DefaultBuildHandlerChain in apiserver's
pkg/server/config.go, read there from bottom to top). `gateway.__main__` composes it once at start around the handler
of `gateway.routing`; the test beside it holds every constraint written here.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.answers import Answer
from gateway.context import RequestContext

if TYPE_CHECKING:
    from gateway.backends import Backends
    from gateway.filters.audit import Sink
    from gateway.lifecycle import Lifecycle
    from gateway.metrics import Metrics
    from kubehop.hop.logs import HopLog

Handler = Callable[[RequestContext], Awaitable[Answer]]
"""Answers a request. Refuses it by raising StatusError; ConnectionError means that the client is gone."""


class Filter(NamedTuple):
    """One entry of the chain."""

    name: str
    wrap: Callable[[Handler], Handler]
    """Returns the handler that does this filter's part around the next one."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the filters work with."""

    backends: Backends
    lifecycle: Lifecycle
    metrics: Metrics
    log: HopLog | None = None
    request_timeout: float = 60.0
    """Seconds that a request may take that is not long-running."""
    max_requests_in_flight: int = 400
    max_mutating_requests_in_flight: int = 200
    cors_allowed_origins: Sequence[re.Pattern[str]] = ()
    audit_sinks: Sequence[Sink] = ()
    recorders: Sequence[Filter] = field(default=())
    """Filters that only watch, for example the journey's recorder; they sit just inside request_info."""


def filters(parts: Parts) -> list[Filter]:
    """Return the chain, outermost first."""
    # fmt: off
    from gateway.filters import (
        audit,
        audit_id,
        authentication,
        authorization,
        cache_control,
        cors,
        deadline,
        impersonation,
        max_in_flight,
        panic_recovery,
        received_timestamp,
        request_info,
        request_log,
        status_errors,
        tracing,
        wait_group,
        warnings,
    )
    # fmt: on

    backends = parts.backends
    return [
        # The id comes first: everything below logs under it, panics included.
        Filter("audit_id", audit_id.wrap),
        # Around all that can fail unexpectedly.
        Filter("panic_recovery", panic_recovery.wrap),
        # The deadline counts from here, so that nothing that waits comes before.
        Filter("received_timestamp", received_timestamp.wrap),
        # Everything below asks what the request is about.
        Filter("request_info", request_info.wrap),
        *parts.recorders,
        # Outside whatever refuses requests, so that refusals are logged; inside request_info, which it writes.
        Filter("request_log", lambda next_: request_log.wrap(next_, parts.log, parts.metrics)),
        # A 401 must not be kept by a cache either: before authentication.
        Filter("cache_control", cache_control.wrap),
        # From here on a filter refuses by raising; inside the log, which wants the code that the client receives.
        Filter("status_errors", status_errors.wrap),
        # Shutdown waits for all that authentication and the handler do: before both.
        Filter("wait_group", lambda next_: wait_group.wrap(next_, parts.lifecycle)),
        # Before the first hop, which already carries the deadline.
        Filter("deadline", lambda next_: deadline.wrap(next_, parts.request_timeout)),
        # Authenticators warn, even when they refuse: before authentication.
        Filter("warnings", warnings.wrap),
        # A browser's preflight has no credentials: before authentication.
        Filter("cors", lambda next_: cors.wrap(next_, parts.cors_allowed_origins)),
        # Before the first hop, so that a 401 has a trace too (kube-apiserver traces after authentication).
        Filter("tracing", tracing.wrap),
        # Hop 1.
        Filter("authentication", lambda next_: authentication.wrap(next_, backends.authentication)),
        # Knows who asked: after authentication. Sees the real user: before impersonation.
        Filter("audit", lambda next_: audit.wrap(next_, parts.audit_sinks)),
        # Replaces the user for all that follows; asks hop 2 itself.
        Filter("impersonation", lambda next_: impersonation.wrap(next_, backends.authorization)),
        # system:masters is exempt, and impersonation says who that is: after it. Cheaper than a hop: before hop 2.
        Filter("max_in_flight", lambda next_: max_in_flight.wrap(
            next_, parts.max_requests_in_flight, parts.max_mutating_requests_in_flight, parts.metrics)),
        # Hop 2. Last: whatever comes after it acts with the user's rights.
        Filter("authorization", lambda next_: authorization.wrap(next_, backends.authorization)),
    ]  # fmt: skip


def compose(chain: Iterable[Filter], handler: Handler) -> Handler:
    """Return the handler that walks the chain and ends in `handler`."""
    for entry in reversed(list(chain)):
        handler = entry.wrap(handler)
    return handler
