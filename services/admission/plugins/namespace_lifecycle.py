"""NamespaceLifecycle: nothing is created in a namespace that is missing or going away; three namespaces never go.

Source of the behaviour: apiserver pkg/admission/plugin/namespace/lifecycle/admission.go. It never parses the object
(its name in a refusal apart).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from kubehop.machinery import status
from kubehop.machinery.objects import Object, nested
from kubehop.pb.admission.v1 import Operation
from services.admission.attributes import CREATE, DELETE, UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.plugin import Change, forbidden

IMMORTAL: Final = frozenset({"default", "kube-system", "kube-public"})
"""Namespaces that cannot be deleted."""

FORCE_LIVE_SECONDS: Final = 30.0
"""How long after its deletion a namespace is looked up in storage when memory still calls it active."""

_FORCE_LIVE_LIMIT: Final = 100
# looking into a namespace that one may not see must not tell whether it exists
_ACCESS_REVIEWS: Final = frozenset({("authorization.k8s.io", "localsubjectaccessreviews")})


class NamespaceLifecycle:
    """See the module."""

    name: Final = "NamespaceLifecycle"

    def __init__(self, cluster: Cluster, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._namespaces = cluster.replica("", "namespaces")
        self._clock = clock
        self._force_live: dict[str, float] = {}

    def handles(self, operation: Operation) -> bool:
        """Creation, update and deletion."""
        return operation in {CREATE, UPDATE, DELETE}

    def concerns(self, group: str, resource: str, subresource: str) -> bool:  # noqa: ARG002 - the Protocol's form
        """Everything: whatever has a namespace."""
        return (group, resource) not in _ACCESS_REVIEWS

    async def admit(self, attributes: Attributes) -> Change | None:
        """Refuse what the namespace's life does not allow; the object stays as it is."""
        operation = attributes.operation
        if attributes.kind == "Namespace" and not attributes.kind_group:
            if operation == DELETE:
                self._refuse_immortal(attributes)
                self._remember_deletion(attributes.name)
            return None
        if operation != CREATE or not attributes.namespace:
            return None
        namespace = self._namespaces.items.get(("", attributes.namespace))
        if namespace is None or (
            self._force_live and _phase(namespace) == "Active" and self._recently_deleted(attributes.namespace)
        ):
            # kube-apiserver waits 50 ms for its cache before this look-up; storage's answer is linearizable, so
            # there is nothing to wait for
            namespace = await self._cluster.get("", "namespaces", "", attributes.namespace)
            if namespace is None:
                raise status.not_found("", "namespaces", attributes.namespace)
        if _phase(namespace) == "Terminating":
            raise _terminating(attributes)
        return None

    @staticmethod
    def _refuse_immortal(attributes: Attributes) -> None:
        if attributes.name in IMMORTAL:
            raise status.forbidden(
                attributes.group, attributes.resource, attributes.name, "this namespace may not be deleted"
            )

    def _remember_deletion(self, name: str) -> None:
        self._force_live.pop(name, None)
        while len(self._force_live) >= _FORCE_LIVE_LIMIT:
            del self._force_live[next(iter(self._force_live))]
        self._force_live[name] = self._clock() + FORCE_LIVE_SECONDS

    def _recently_deleted(self, name: str) -> bool:
        until = self._force_live.get(name)
        if until is None:
            return False
        if self._clock() < until:
            return True
        del self._force_live[name]
        return False


def _phase(namespace: Object) -> object:
    return nested(namespace, "status", "phase")


def _terminating(attributes: Attributes) -> status.StatusError:
    name = attributes.namespace
    return forbidden(
        attributes,
        f"unable to create new content in namespace {name} because it is being terminated",
        [status.cause("NamespaceTerminating", f"namespace {name} is being terminated", "metadata.namespace")],
    )
