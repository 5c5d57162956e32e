"""EventRateLimit: no more events than so many a second, in all, of a namespace, a user, or about one thing.

Without limits in the configuration it admits everything, as there is nothing to hold to. Source of the behaviour:
plugin/pkg/admission/eventratelimit/.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from kubehop.machinery import status
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.plugin import Scoped, aggregate

_DEFAULT_SIZE: Final = 4096


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of the configuration."""

    type: str
    """Server, Namespace, User or SourceAndObject."""
    qps: int
    """Events a second in the long run."""
    burst: int
    """Events at once."""
    size: int = 0
    """How many namespaces, users or things are remembered; 0 for 4096."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


@dataclass(slots=True)
class _Buckets:
    """The token buckets of one limit, those used last."""

    limit: Limit
    clock: Callable[[], float]
    kept: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    def take(self, key: str) -> bool:
        """Take a token; False where there is none."""
        now = self.clock()
        bucket = self.kept.get(key)
        if bucket is None:
            bucket = self.kept[key] = _Bucket(self.limit.burst, now)
            if len(self.kept) > (self.limit.size or _DEFAULT_SIZE):
                self.kept.popitem(last=False)
        else:
            self.kept.move_to_end(key)
        bucket.tokens = min(self.limit.burst, bucket.tokens + (now - bucket.filled) * self.limit.qps)
        bucket.filled = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True


class EventRateLimit(Scoped):
    """See the module."""

    name: Final = "EventRateLimit"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({("", "events", ""), ("events.k8s.io", "events", "")})

    def __init__(self, limits: Sequence[Limit] = (), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = [_Buckets(limit, clock) for limit in limits]

    async def validate(self, attributes: Attributes) -> None:
        """Refuse what is over a limit. A rehearsal takes nothing."""
        if attributes.dry_run:
            return
        problems = []
        for buckets in self._limits:
            key = _key(buckets.limit.type, attributes)
            if not buckets.take(key):
                problems.append(f"limit reached on type {buckets.limit.type} for key {key}")
        if problems:
            raise status.too_many_requests(aggregate(problems), 0)


def _key(kind: str, attributes: Attributes) -> str:
    if kind == "Namespace":
        return attributes.namespace
    if kind == "User":
        return attributes.user_name
    if kind == "Server":
        return ""
    event = attributes.object
    source = event.get("source") or event.get("deprecatedSource") or {}
    about = event.get("involvedObject") or event.get("regarding") or {}
    parts = [source.get("component"), source.get("host")]
    parts += [about.get(name) for name in ("kind", "namespace", "name", "uid", "apiVersion")]
    return "".join(part or "" for part in parts)
