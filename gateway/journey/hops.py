"""What one hop was: noted by backends as it ends, collected on the request context.

Nothing is noted unless somebody listens (`request.hops` is None by default), so it costs one test per hop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from gateway.context import RequestContext


@dataclass(slots=True)
class Hop:
    """One call of a stage, or one step inside the gateway."""

    name: str
    """The stage and its RPC, for example "authorization.Authorize"."""
    started: float
    """When it began, on the clock of `time.perf_counter`, seconds."""
    duration: float = 0.0
    """How long it took, seconds."""
    verdict: str = ""
    """What came of it in a word: "allow", "deny", "ok", or the error's reason."""
    evidence: Any = None
    """The response of the stage, where there was one."""
    notes: dict[str, str] = field(default_factory=dict)


def begin(request: RequestContext, name: str) -> Hop | None:
    """Open a hop; None when nobody records this request."""
    if request.hops is None:
        return None
    hop = Hop(name, perf_counter())
    request.hops.append(hop)
    return hop


def end(hop: Hop | None, verdict: str, evidence: Any = None) -> None:
    """Close a hop with what came of it."""
    if hop is not None:
        hop.duration = perf_counter() - hop.started
        hop.verdict = verdict
        hop.evidence = evidence
