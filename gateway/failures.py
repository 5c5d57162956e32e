"""What a stage's failure means to a client: the table from hop errors to Status.

Called by `gateway.backends`, whose callers see nothing but StatusError.
"""

from __future__ import annotations

import grpc

from kubehop.hop.errors import HopError
from kubehop.machinery import status
from kubehop.machinery.status import StatusError
from kubehop.pb.storage.v1 import Key


def stage_error(error: HopError) -> StatusError:
    """Return what a client is told when a stage could not answer: 503, 504, or a bland 500."""
    if error.code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return status.timeout("request did not complete within the allotted timeout")
    if error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED):
        return status.service_unavailable(error.stage or "backend")
    return status.internal_error(f"the {error.stage or 'backend'} stage failed")


def storage_error(error: HopError, key: Key, verb: str) -> StatusError:
    """Return what a failure of the store means to a client (storage/errors.Interpret*Error)."""
    match error.reason:
        case "ERROR_REASON_NOT_FOUND":
            return status.not_found(key.group, key.resource, key.name)
        case "ERROR_REASON_ALREADY_EXISTS":
            return status.already_exists(key.group, key.resource, key.name)
        case "ERROR_REASON_CONFLICT":
            return status.conflict(key.group, key.resource, key.name, _conflict_message(error))
        case "ERROR_REASON_EXPIRED":
            return _expired(error, verb)
        case "ERROR_REASON_FUTURE_REVISION":
            current, requested = _number(error, "current"), _number(error, "requested")
            return status.too_large_resource_version(current, requested, retry_after=1)
        case "ERROR_REASON_INVALID":
            return status.bad_request(error.message)
        case "ERROR_REASON_TOO_LARGE":
            return status.request_entity_too_large(error.message)
        case "ERROR_REASON_CORRUPT":
            return status.internal_error(error.message)
        case "ERROR_REASON_UNKNOWN_OUTCOME":
            return status.timeout(f"the outcome of the {verb} is not known: {error.message}")
        case _:
            return stage_error(error)


def _expired(error: HopError, verb: str) -> StatusError:
    if verb == "watch":
        return status.too_old_resource_version(_number(error, "requested"), _number(error, "oldest"))
    token = error.metadata.get("continue", "")
    if token:
        return status.resource_expired(status.CONTINUE_INCONSISTENT, token)
    return status.resource_expired(error.message or status.LIST_EXPIRED)


def _conflict_message(error: HopError) -> str:
    """Return the words of a failed precondition; a moved revision has its own that clients know."""
    if error.metadata.get("precondition") == "uid":
        return (
            f"Precondition failed: UID in precondition: {error.metadata.get('expected', '')}, "
            f"UID in object meta: {error.metadata.get('current', '')}"
        )
    return status.OBJECT_MODIFIED


def _number(error: HopError, key: str) -> int:
    text = error.metadata.get(key, "")
    return int(text) if text.isdecimal() else 0
