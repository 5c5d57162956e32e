"""Status: every failure that a client sees, with kube-apiserver's code, reason, message, details and causes.

Everybody raises the constructors below; the gateway turns a `StatusError` into the answer (`.code`, `.status`,
`.headers`). Messages follow k8s.io/apimachinery/pkg/api/errors and, where named, k8s.io/apiserver: clients parse them.
Resources are passed as (group, resource); the legacy group is "".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubehop.machinery import fields, gotext
from kubehop.machinery.objects import Object, group_resource

Cause = dict[str, str]
"""One cause of a Status: `reason`, `message` and `field`, those that are empty left out."""

_SANITIZE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

WATCH_EXPIRED = "The resourceVersion for the provided watch is too old."
LIST_EXPIRED = "The resourceVersion for the provided list is too old."
CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. "
    "You can start a new list without the continue parameter."
)
CONTINUE_INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. "
    "You can start a new list without the continue parameter, or use the continue token in this response to retrieve "
    "the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that "
    "were created, modified, or deleted between the time the first chunk was returned and now may show up in the list."
)
OBJECT_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class StatusError(Exception):
    """A failure as a client sees it.

    `code` is the HTTP status, `status` the metav1.Status body (fresh, may be changed), `headers` what else the answer
    carries: Retry-After where the Status says so, Allow, WWW-Authenticate and the like where the raiser knows them.
    """

    def __init__(self, status: Object, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status.get("message", ""))
        self.status = status
        self.headers: dict[str, str] = dict(headers or {})
        retry = self.details.get("retryAfterSeconds", 0)
        if retry:
            self.headers.setdefault("Retry-After", str(retry))

    @property
    def code(self) -> int:
        """HTTP status code."""
        return int(self.status.get("code", 500))

    @property
    def reason(self) -> str:
        """Machine-readable reason, "" when it is unknown."""
        return str(self.status.get("reason", ""))

    @property
    def message(self) -> str:
        """The message for people."""
        return str(self.status.get("message", ""))

    @property
    def details(self) -> Object:
        """Details for reading: an empty dict where the status has none."""
        return self.status.get("details") or {}

    def has_cause(self, reason: str) -> bool:
        """Whether a cause with this reason is among the details."""
        return any(cause.get("reason") == reason for cause in self.details.get("causes", ()))


def status(
    code: int,
    reason: str,
    message: str,
    *,
    details: Object | None = None,
    state: str = "Failure",
    metadata: Object | None = None,
) -> Object:
    """A metav1.Status with its members in Kubernetes' order; empty reason, message and absent details left out."""
    body: Object = {"kind": "Status", "apiVersion": "v1", "metadata": metadata or {}, "status": state}
    if message:
        body["message"] = message
    if reason:
        body["reason"] = reason
    if details is not None:
        body["details"] = details
    body["code"] = code
    return body


def success(*, group: str = "", kind: str = "", name: str = "", uid: str = "") -> Object:
    """The Status that answers a completed deletion and the like."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": _details(group, kind, name, uid=uid),
    }


def _details(
    group: str = "",
    kind: str = "",
    name: str = "",
    *,
    uid: str = "",
    causes: Sequence[Cause] = (),
    retry_after: int = 0,
) -> Object:
    details: Object = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    if uid:
        details["uid"] = uid
    if causes:
        details["causes"] = list(causes)
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    return details


def cause(reason: str, message: str, field: str = "") -> Cause:
    """A cause in Status key order."""
    made = {}
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    if field:
        made["field"] = field
    return made


def _named(group: str, resource: str, name: str) -> str:
    return f"{group_resource(group, resource)} {gotext.quote(name)}"


# --- the constructors of apimachinery's api/errors ------------------------------------------------------------------


def not_found(group: str, resource: str, name: str) -> StatusError:
    """404: there is no such object."""
    return StatusError(
        status(404, "NotFound", f"{_named(group, resource, name)} not found", details=_details(group, resource, name))
    )


def already_exists(group: str, resource: str, name: str, prefix: str = "") -> StatusError:
    """409: an object of that name exists; a prefix such as "object is being deleted" goes before the message."""
    message = f"{_named(group, resource, name)} already exists"
    return StatusError(
        status(
            409,
            "AlreadyExists",
            f"{prefix}: {message}" if prefix else message,
            details=_details(group, resource, name),
        )
    )


def generate_name_conflict(group: str, resource: str, name: str, retry_after: int = 1) -> StatusError:
    """409: every name that was generated exists already."""
    message = (
        f"{_named(group, resource, name)} already exists, "
        "the server was not able to generate a unique name for the object"
    )
    return StatusError(
        status(409, "AlreadyExists", message, details=_details(group, resource, name, retry_after=retry_after))
    )


def unauthorized(message: str = "Unauthorized") -> StatusError:
    """401: nobody knows who asks. The default is what kube-apiserver's authentication filter says."""
    return StatusError(status(401, "Unauthorized", message or "not authorized"))


def forbidden(group: str, resource: str, name: str, message: str, causes: Sequence[Cause] = ()) -> StatusError:
    """403 of admission and of strategies; with neither group nor resource the message is about the request alone."""
    if not group and not resource:
        text = f"forbidden: {message}"
    elif not name:
        text = f"{group_resource(group, resource)} is forbidden: {message}"
    else:
        text = f"{_named(group, resource, name)} is forbidden: {message}"
    return StatusError(status(403, "Forbidden", text, details=_details(group, resource, name, causes=causes)))


def conflict(group: str, resource: str, name: str, message: str = OBJECT_MODIFIED) -> StatusError:
    """409: the object changed meanwhile, or a precondition on it failed."""
    text = f"Operation cannot be fulfilled on {_named(group, resource, name)}: {message}"
    return StatusError(status(409, "Conflict", text, details=_details(group, resource, name)))


def apply_conflict(causes: Sequence[Cause], message: str) -> StatusError:
    """409 of server-side apply: fields that other managers own."""
    return StatusError(status(409, "Conflict", message, details=_details(causes=causes)))


def gone(message: str) -> StatusError:
    """410 with reason Gone."""
    return StatusError(status(410, "Gone", message))


def resource_expired(message: str, continue_token: str = "") -> StatusError:
    """410 with reason Expired; the token lets a pager go on inconsistently (see CONTINUE_INCONSISTENT)."""
    metadata = {"continue": continue_token} if continue_token else {}
    return StatusError(status(410, "Expired", message, metadata=metadata))


def invalid(group: str, kind: str, name: str, errors: Sequence[fields.FieldError]) -> StatusError:
    """422: the object breaks validation; one cause per error. `kind` is the kind, not the resource."""
    text = f"{_named(group, kind, name)} is invalid"
    if errors:
        text = f"{text}: {fields.to_aggregate(errors)}"
    return StatusError(
        status(422, "Invalid", text, details=_details(group, kind, name, causes=fields.to_causes(errors)))
    )


def bad_request(message: str) -> StatusError:
    """400: the request cannot be understood."""
    return StatusError(status(400, "BadRequest", message))


def too_many_requests(message: str, retry_after: int = 1) -> StatusError:
    """429: come back later."""
    return StatusError(status(429, "TooManyRequests", message, details=_details(retry_after=retry_after)))


def service_unavailable(
    stage: str = "", message: str = "", *, retry_after: int = 1, causes: Sequence[Cause] = ()
) -> StatusError:
    """503: something behind the gateway is away.

    With a stage the message and details name it, so that a client sees which of the services is missing; without one
    this is apimachinery's NewServiceUnavailable.
    """
    if not stage:
        return StatusError(status(503, "ServiceUnavailable", message))
    text = f"the {stage} stage is unavailable{f': {message}' if message else ''}"
    details = _details(kind="stages", name=stage, causes=causes, retry_after=retry_after)
    return StatusError(status(503, "ServiceUnavailable", text, details=details))


def method_not_supported(group: str, resource: str, verb: str) -> StatusError:
    """405: the resource has no such operation."""
    text = f"{verb} is not supported on resources of kind {gotext.quote(group_resource(group, resource))}"
    return StatusError(status(405, "MethodNotAllowed", text, details=_details(group, resource)))


def server_timeout(group: str, resource: str, operation: str, retry_after: int = 0) -> StatusError:
    """500 with reason ServerTimeout: a passing trouble, nothing was done, try again."""
    text = (
        f"The {operation} operation against {group_resource(group, resource)} could not be completed at this time, "
        "please try again."
    )
    return StatusError(
        status(500, "ServerTimeout", text, details=_details(group, resource, operation, retry_after=retry_after))
    )


def internal_error(message: str) -> StatusError:
    """500: something broke that the client did not cause."""
    return StatusError(
        status(
            500,
            "InternalError",
            f"Internal error occurred: {message}",
            details=_details(causes=[cause("", message)]),
        )
    )


def timeout(message: str, retry_after: int = 0) -> StatusError:
    """504: the operation took too long and may still complete."""
    return StatusError(status(504, "Timeout", f"Timeout: {message}", details=_details(retry_after=retry_after)))


def request_entity_too_large(message: str) -> StatusError:
    """413; the apiserver says `limit is 3145728` (bytes)."""
    return StatusError(status(413, "RequestEntityTooLarge", f"Request entity too large: {message}"))


def unknown(message: str, code: int = 500) -> StatusError:
    """An error that kube-apiserver did not foresee: code 500, no reason, the bare message.

    Used for the errors which its handlers return without making a Status of them, such as those of strategic merge.
    """
    return StatusError(status(code, "", message))


_GENERIC: Mapping[int, tuple[str, str]] = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: (
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
    ),
}


def generic_server_response(
    code: int,
    verb: str = "",
    group: str = "",
    resource: str = "",
    name: str = "",
    server_message: str = "",
    retry_after: int = 0,
    *,
    unexpected: bool = False,
) -> StatusError:
    """The answer for a code alone (unknown paths, wrong methods, failed patches): NewGenericServerResponse.

    Its details are always present, if empty.
    """
    reason, message = _generic(code, verb, server_message)
    if group or resource:
        target = f"{group_resource(group, resource)} {name}" if name else group_resource(group, resource)
        message = f"{message} ({verb.lower()} {target})"
    causes = [cause("UnexpectedServerResponse", server_message)] if unexpected else ()
    details = _details(group, resource, name, causes=causes, retry_after=retry_after)
    return StatusError(status(code, reason, message, details=details))


def _generic(code: int, verb: str, server_message: str) -> tuple[str, str]:
    if code in _GENERIC:
        return _GENERIC[code]
    if code == 409:
        return ("AlreadyExists" if verb == "POST" else "Conflict"), "the server reported a conflict"
    if code == 403:
        return "Forbidden", server_message
    if code == 415:
        return "UnsupportedMediaType", server_message
    if code == 406:
        if server_message in {"", "unknown"}:
            return "NotAcceptable", "the server was unable to respond with a content type that the client supports"
        return "NotAcceptable", server_message
    if code >= 500:
        text = f"an error on the server ({gotext.quote(server_message)}) has prevented the request from succeeding"
        return "InternalError", text
    return "", f"the server responded with the status code {code} but did not return more information"


# --- what k8s.io/apiserver adds -------------------------------------------------------------------------------------


def too_large_resource_version(current: int, requested: int, retry_after: int = 0) -> StatusError:
    """504: a read asked for a revision that has not been reached (apiserver/pkg/storage/errors.go)."""
    text = f"Timeout: Too large resource version: {requested}, current: {current}"
    causes = [cause("ResourceVersionTooLarge", "Too large resource version")]
    return StatusError(status(504, "Timeout", text, details=_details(causes=causes, retry_after=retry_after)))


def too_old_resource_version(requested: int, oldest: int) -> StatusError:
    """410 of a watch that starts before what the watch cache still holds."""
    return resource_expired(f"too old resource version: {requested} ({oldest})")


def unsupported_media_type(accepted: Iterable[str]) -> StatusError:
    """415: the body's Content-Type is none of those accepted (negotiation/errors.go)."""
    listed = ", ".join(accepted)
    text = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return StatusError(status(415, "UnsupportedMediaType", text))


def not_acceptable(accepted: Iterable[str], converting_to: str = "") -> StatusError:
    """406: no media type that the client accepts; `converting_to` names a transformation that only some types have."""
    listed = ", ".join(accepted)
    when = f" when converting to {converting_to}" if converting_to else ""
    return StatusError(status(406, "NotAcceptable", f"only the following media types are accepted{when}: {listed}"))


def not_acceptable_message(message: str) -> StatusError:
    """406 with its own words (a Table of something that has none, a list form of one object)."""
    return StatusError(status(406, "NotAcceptable", message))


def access_denied(
    *,
    user: str,
    verb: str,
    resource_request: bool,
    path: str = "",
    group: str = "",
    resource: str = "",
    subresource: str = "",
    namespace: str = "",
    name: str = "",
    reason: str = "",
) -> StatusError:
    """403 of the authorizer, as responsewriters.ForbiddenStatusError words and sanitizes it."""
    if not resource_request:
        text = f"User {gotext.quote(user)} cannot {verb} path {gotext.quote(path)}"
    else:
        target = f"{resource}/{subresource}" if subresource else resource
        text = f"User {gotext.quote(user)} cannot {verb} resource {gotext.quote(target)}"
        text += f" in API group {gotext.quote(group)}"
        text += f" in the namespace {gotext.quote(namespace)}" if namespace else " at the cluster scope"
    text = text.translate(_SANITIZE)
    return forbidden(group, resource, name, f"{text}: {reason}" if reason else text)


def from_status(body: Mapping[str, Any]) -> StatusError:
    """The error again from a Status that another process sent."""
    return StatusError(dict(body))
