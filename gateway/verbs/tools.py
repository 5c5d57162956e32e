"""What verbs work with, made once by `gateway.__main__`."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.allocation import Allocations
from gateway.backends import Backends
from gateway.lifecycle import Lifecycle
from gateway.metrics import Metrics
from gateway.settings import ClusterSettings
from gateway.watching.hub import Hub


@dataclass(frozen=True, slots=True)
class Tools:
    """The stages, the shared watches, and what the process and the cluster are like."""

    backends: Backends
    hub: Hub
    lifecycle: Lifecycle
    metrics: Metrics
    cluster: ClusterSettings
    allocations: Allocations
    min_request_timeout: float = 1800.0
    """Seconds that a watch without timeoutSeconds lasts at least."""
