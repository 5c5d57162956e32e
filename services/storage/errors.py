"""What can go wrong in storage, in storage's own words.

Raised by the etcd adapter, the store, lists and watches; the servicer turns each into a failed call whose reason is the
`ErrorReason` here. No exception of the etcd client leaves the adapter.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubehop.pb.storage.v1 import (
    ERROR_REASON_ALREADY_EXISTS,
    ERROR_REASON_CONFLICT,
    ERROR_REASON_CORRUPT,
    ERROR_REASON_EXPIRED,
    ERROR_REASON_FUTURE_REVISION,
    ERROR_REASON_INVALID,
    ERROR_REASON_NOT_FOUND,
    ERROR_REASON_TOO_LARGE,
    ERROR_REASON_UNAVAILABLE,
    ERROR_REASON_UNKNOWN_OUTCOME,
    ERROR_REASON_UNSPECIFIED,
    ErrorReason,
)

# kube-apiserver's words: staging/src/k8s.io/apiserver/pkg/storage/etcd3/errors.go and cacher/watch_cache_history.go
LIST_EXPIRED = "The resourceVersion for the provided list is too old."
CONTINUE_INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


class StorageError(Exception):
    """A failure with its reason, a message for people, and the facts as metadata."""

    reason: ErrorReason = ERROR_REASON_UNSPECIFIED

    def __init__(self, message: str, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.metadata: Mapping[str, str] = metadata or {}


class NotFoundError(StorageError):
    """No object is at the key."""

    reason = ERROR_REASON_NOT_FOUND

    def __init__(self, key: str) -> None:
        super().__init__(f"no object at {key}", {"key": key})


class AlreadyExistsError(StorageError):
    """An object is at the key of a create."""

    reason = ERROR_REASON_ALREADY_EXISTS

    def __init__(self, key: str) -> None:
        super().__init__(f"an object is at {key} already", {"key": key})


class ConflictError(StorageError):
    """The object's revision or uid is not the expected one."""

    reason = ERROR_REASON_CONFLICT

    def __init__(self, key: str, precondition: str, expected: str, current: str) -> None:
        super().__init__(
            f"{precondition} of {key} is {current}, expected {expected}",
            {"key": key, "precondition": precondition, "expected": expected, "current": current},
        )


class ExpiredError(StorageError):
    """The revision asked for is gone; oldest is the first one that can still be read (0 when unknown)."""

    reason = ERROR_REASON_EXPIRED

    def __init__(self, message: str, requested: int, oldest: int = 0, continue_token: str = "") -> None:
        metadata = {"requested": str(requested), "oldest": str(oldest)}
        if continue_token:
            metadata["continue"] = continue_token
        super().__init__(message, metadata)


class FutureRevisionError(StorageError):
    """The revision asked for has not been reached in time."""

    reason = ERROR_REASON_FUTURE_REVISION

    def __init__(self, requested: int, current: int) -> None:
        super().__init__(
            f"Too large resource version: {requested}, current: {current}",
            {"requested": str(requested), "current": str(current)},
        )


class InvalidError(StorageError):
    """The request makes no sense; the message says why."""

    reason = ERROR_REASON_INVALID


class TooLargeError(StorageError):
    """The object exceeds what etcd takes in one request (its --max-request-bytes)."""

    reason = ERROR_REASON_TOO_LARGE


class UnavailableError(StorageError):
    """The store is out of reach or not ready; nothing was written."""

    reason = ERROR_REASON_UNAVAILABLE


class UnknownOutcomeError(StorageError):
    """A write may or may not have happened, now or in a moment."""

    reason = ERROR_REASON_UNKNOWN_OUTCOME


class CorruptError(StorageError):
    """The value at the key cannot be decoded."""

    reason = ERROR_REASON_CORRUPT

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f"the value at {key} cannot be decoded: {why}", {"key": key})


class SealError(StorageError):
    """The value cannot be encrypted; nothing was written."""

    def __init__(self, key: str, why: str) -> None:
        super().__init__(f'unable to transform key "{key}": {why}', {"key": key})


class UnreadableError(CorruptError):
    """The value at the key cannot be decrypted."""

    def __init__(self, key: str, why: str) -> None:
        StorageError.__init__(self, f'unable to transform key "{key}": {why}', {"key": key})


class CompactedError(Exception):
    """etcd has forgotten the revision; callers say in an ExpiredError what that means to the client."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"compacted up to revision {revision}")
        self.revision = revision


class AheadError(Exception):
    """etcd has not reached the revision yet; callers answer with a FutureRevisionError."""
