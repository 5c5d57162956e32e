"""Objects that credentials rest on, asked from storage: does the account still exist, and the pod of the token?

The authenticators of service accounts and bootstrap tokens ask here. What storage said is remembered for a second: a
deletion revokes within that time, and a client that sends a thousand requests a second costs one read. Reads are
linearizable, so that what has just been created is found.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import grpc
import orjson

from kubehop.hop.calls import CallContext
from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from kubehop.pb.storage.v1 import GetRequest, Key, StorageRpcs

Object = dict[str, Any]

REMEMBER_SECONDS = 1.0
"""How long an answer counts; kube-apiserver's informers and token cache give up to ten."""
REMEMBERED_OBJECTS = 8192
TIMEOUT_SECONDS = 5.0
"""How long storage may take."""
_NOT_FOUND = "ERROR_REASON_NOT_FOUND"


class _Remembered(NamedTuple):
    until: float
    object: Object


class LiveObjects:
    """Reads of core objects, one second old at most."""

    def __init__(self, storage: StageClient, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask this storage; the clock is monotonic seconds."""
        self._storage = storage
        self._clock = clock
        self._remembered: dict[tuple[str, str, str], _Remembered] = {}

    def known(self, resource: str, namespace: str, name: str) -> Object | None:
        """Return an object that was read within the last second."""
        found = self._remembered.get((resource, namespace, name))
        return found.object if found is not None and self._clock() < found.until else None

    async def get(self, resource: str, namespace: str, name: str) -> Object | None:
        """Return an object, None where there is none. Raises HopError UNAVAILABLE when storage cannot tell."""
        if (known := self.known(resource, namespace, name)) is not None:
            return known
        key = Key(resource=resource, namespace=namespace, name=name)
        context = CallContext(deadline=time.time() + TIMEOUT_SECONDS)
        try:
            answer = await self._storage.call(StorageRpcs.GET, GetRequest(key=key), context)
        except HopError as error:
            if error.reason == _NOT_FOUND:
                self._remembered.pop((resource, namespace, name), None)
                return None
            raise HopError(
                grpc.StatusCode.UNAVAILABLE,
                f"storage does not tell whether a credential is still good: {error.message}",
            ) from error
        found: Object = orjson.loads(answer.object)
        # not known to be missing for a second: who creates an account and uses it must not wait
        if len(self._remembered) >= REMEMBERED_OBJECTS:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[(resource, namespace, name)] = _Remembered(self._clock() + REMEMBER_SECONDS, found)
        return found
