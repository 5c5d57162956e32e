"""Webhooks as their configurations have them, read once for each state of the configurations.

Used by both plugins; the order is that of kube-apiserver: configurations by name, their webhooks as listed.
"""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from kubehop.machinery.objects import Object, metadata, resource_version
from kubehop.machinery.selectors import labels
from kubehop.machinery.selectors.labels import Selector
from services.admission.cluster import Cluster

GROUP: Final = "admissionregistration.k8s.io"
DEFAULT_TIMEOUT: Final = 10


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook listens."""

    url: str
    """Without query, always with a path."""
    ca_bundle: bytes = b""
    service: tuple[str, str, int] | None = None
    """(namespace, name, port) where the host is a service of the cluster."""


@dataclass(frozen=True, slots=True, eq=False)
class Hook:
    """One webhook."""

    configuration: str
    name: str
    index: int
    """Its place among all hooks, for audit annotations."""
    obj: Object

    @property
    def identity(self) -> tuple[str, int]:
        """What tells it from all others."""
        return self.configuration, self.index

    @property
    def fails_open(self) -> bool:
        """Whether a request passes when the webhook cannot be called."""
        return bool(self.obj.get("failurePolicy") == "Ignore")

    @property
    def timeout(self) -> int:
        """Seconds that it may take."""
        return self.obj.get("timeoutSeconds") or DEFAULT_TIMEOUT

    @property
    def rules(self) -> list[Object]:
        """What it wants to see."""
        return self.obj.get("rules") or []

    @property
    def sees_equivalents(self) -> bool:
        """Whether it also wants to see what its rules name in another version."""
        return bool(self.obj.get("matchPolicy") != "Exact")

    @property
    def conditions(self) -> list[Object]:
        """Its match conditions, in CEL."""
        return self.obj.get("matchConditions") or []

    @property
    def supports_dry_run(self) -> bool:
        """Whether it may be called when nothing is stored."""
        return self.obj.get("sideEffects") in {"None", "NoneOnDryRun"}

    @property
    def review_versions(self) -> list[str]:
        """The versions of AdmissionReview that it understands."""
        return self.obj.get("admissionReviewVersions") or []

    @property
    def reinvocable(self) -> bool:
        """Whether it wants to see an object again that was changed after it."""
        return bool(self.obj.get("reinvocationPolicy") == "IfNeeded")

    @property
    def target(self) -> Target:
        """Where it listens. ValueError where the configuration does not say."""
        return _target(_Identity(self.obj))

    def selector(self, which: str) -> Selector:
        """`namespaceSelector` or `objectSelector`. ValueError where it makes no sense."""
        return _selector(_Identity(self.obj), which)


class _Identity:
    """An object by identity, as a key of caches; holding it keeps the identity."""

    __slots__ = ("obj",)

    def __init__(self, obj: Object) -> None:
        self.obj = obj

    def __hash__(self) -> int:
        return id(self.obj)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Identity) and other.obj is self.obj


@functools.lru_cache(maxsize=1024)
def _selector(hook: _Identity, which: str) -> Selector:
    # a configuration that says nothing selects everything
    return labels.from_label_selector(hook.obj.get(which) or {})


@functools.lru_cache(maxsize=1024)
def _target(hook: _Identity) -> Target:
    client: dict[str, Any] = hook.obj.get("clientConfig") or {}
    try:
        bundle = base64.b64decode(client.get("caBundle") or "", validate=True)
    except binascii.Error as error:
        raise ValueError(f"unable to load root certificates: {error}") from error
    service = client.get("service")
    if service is not None:
        namespace, name, port = service.get("namespace") or "", service.get("name") or "", service.get("port") or 443
        path = "/" + (service.get("path") or "").lstrip("/")
        return Target(f"https://{name}.{namespace}.svc:{port}{path}", bundle, (namespace, name, port))
    url = client.get("url") or ""
    if not url:
        raise ValueError("webhook configuration must have either service or URL")
    parts = urlsplit(url)
    return Target(f"{parts.scheme}://{parts.netloc}{parts.path or '/'}", bundle)


class Hooks:
    """The hooks of one kind of configuration."""

    def __init__(self, cluster: Cluster, resource: str) -> None:
        self._replica = cluster.replica(GROUP, resource)
        self._state: tuple[str, ...] = ()
        self._hooks: tuple[Hook, ...] = ()

    def current(self) -> tuple[Hook, ...]:
        """All hooks in order."""
        items = self._replica.items
        if not items:
            return ()
        state = tuple([resource_version(obj) for obj in items.values()])
        if state != self._state:
            self._state, self._hooks = state, tuple(_read(items.values()))
        return self._hooks


def _read(configurations: Iterable[Object]) -> Iterable[Hook]:
    index = 0
    for configuration in sorted(configurations, key=lambda obj: str(metadata(obj)["name"])):
        name = metadata(configuration)["name"]
        for obj in configuration.get("webhooks") or ():
            yield Hook(name, obj.get("name") or "", index, obj)
            index += 1
