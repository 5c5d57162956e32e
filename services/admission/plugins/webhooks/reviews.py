"""AdmissionReviews: the question to a webhook and its answer.

Used by `calls` and the plugins; apiserver: pkg/admission/plugin/webhook/request/admissionreview.go and errors/.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from kubehop.kinds import catalogue, convert
from kubehop.machinery import status
from kubehop.machinery.objects import Object
from kubehop.machinery.status import StatusError
from services.admission.attributes import Attributes
from services.admission.plugins.webhooks.errors import CallError
from services.admission.plugins.webhooks.hooks import Hook
from services.admission.plugins.webhooks.matching import Invocation, operation_name

_VERSIONS: Final = ("v1", "v1beta1")
_MOST_SECONDS: Final = 1 << 31
_FIELDS: Final[Mapping[str, tuple[type, str]]] = {
    "uid": (str, "string"),
    "allowed": (bool, "bool"),
    "status": (dict, "v1.Status"),
    "patch": (str, "[]uint8"),
    "patchType": (str, "string"),
    "auditAnnotations": (dict, "map[string]string"),
    "warnings": (list, "[]string"),
}
_JSON_KINDS: Final = {str: "string", bool: "bool", dict: "object", list: "array", int: "number", float: "number"}


@dataclass(frozen=True, slots=True)
class Question:
    """What a webhook is asked."""

    uid: str
    version: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What it said, found valid."""

    allowed: bool
    status: Object | None = None
    patch: bytes = b""
    patch_type: str = ""
    warnings: list[str] = field(default_factory=list)
    annotations: dict[str, str] = field(default_factory=dict)


def question(invocation: Invocation, attributes: Attributes) -> Question:
    """The AdmissionReview for a webhook. CallError where it understands no version of it."""
    hook = invocation.hook
    version = next((one for one in hook.review_versions if one in _VERSIONS), None)
    if version is None:
        unknown = "webhook does not accept known AdmissionReview versions (v1, v1beta1)"
        raise CallError(hook.name, f"could not create admission objects: {unknown}")
    uid = str(uuid.uuid4())
    kind, place, asked = invocation.kind, invocation.place, attributes.request_kind
    request: Object = {
        "uid": uid,
        "kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "resource": {"group": place.group, "version": place.version, "resource": place.resource},
        "subResource": attributes.subresource,
        "requestKind": {"group": asked.group, "version": asked.version, "kind": asked.kind},
        "requestResource": {
            "group": attributes.group,
            "version": attributes.version,
            "resource": attributes.resource,
        },
        "requestSubResource": attributes.subresource,
        "name": attributes.name,
        "namespace": attributes.namespace,
    }
    request = {name: value for name, value in request.items() if value != ""}
    request["operation"] = operation_name(attributes.operation)
    request["userInfo"] = _user(attributes)
    request["object"] = _object(attributes.raw, invocation, attributes)
    request["oldObject"] = _object(attributes.raw_old, invocation, attributes)
    request["dryRun"] = attributes.dry_run
    request["options"] = attributes.options or None
    review = {"kind": "AdmissionReview", "apiVersion": f"admission.k8s.io/{version}", "request": request}
    return Question(uid, version, orjson.dumps(review))


def _user(attributes: Attributes) -> Object:
    user = attributes.user
    said: Object = {
        "username": user.username,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in attributes.user_extra.items()},
    }
    return {name: value for name, value in said.items() if value}


def _object(raw: bytes, invocation: Invocation, attributes: Attributes) -> Any:
    """An object as the webhook is to see it; None where the request has none."""
    if not raw:
        return None
    if invocation.kind == attributes.request_kind:
        return orjson.Fragment(raw)
    return translated(orjson.loads(raw), attributes, invocation.kind.api_version)


def translated(obj: Object, attributes: Attributes, api_version: str) -> Object:
    """The object of a request in another version of its resource."""
    resource = catalogue.lookup(attributes.group, attributes.version, attributes.resource)
    return obj if resource is None else convert.to_version(obj, resource, api_version)


def answer(hook: Hook, asked: Question, data: bytes, *, mutating: bool) -> Answer:
    """The answer in a response's body. CallError where it is none."""
    try:
        review = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise CallError(
            hook.name, f"failed to call webhook: couldn't get version/kind; json parse error: {error}"
        ) from error
    if not isinstance(review, dict):
        found = _JSON_KINDS.get(type(review), "null")
        problem = f"json: cannot unmarshal {found} into Go value of type struct"
        raise CallError(hook.name, f"failed to call webhook: couldn't get version/kind; json parse error: {problem}")
    response = review.get("response")
    if response is None:
        raise _invalid(hook, "webhook response was absent")
    _check_types(hook, response)
    if asked.version == "v1":
        if response.get("uid", "") != asked.uid:
            raise _invalid(hook, f'expected response.uid="{asked.uid}", got "{response.get("uid", "")}"')
        stated = (review.get("apiVersion") or "", review.get("kind") or "")
        if stated != ("admission.k8s.io/v1", "AdmissionReview"):
            group = f"{stated[0]}, Kind={stated[1]}"
            raise _invalid(hook, f"expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got {group}")
    patch = _patch_of(hook, response)
    kind = response.get("patchType")
    if asked.version == "v1":
        _check_patch(hook, patch, kind, mutating=mutating)
    elif patch:
        kind = "JSONPatch"  # the only one that the old version knew
    return Answer(
        allowed=bool(response.get("allowed")),
        status=response.get("status"),
        patch=patch if mutating else b"",
        patch_type=kind or "",
        warnings=list(response.get("warnings") or ()),
        annotations=dict(response.get("auditAnnotations") or {}),
    )


def _check_types(hook: Hook, response: Any) -> None:
    """Refuse what Go's decoder would not read into an AdmissionResponse."""
    if not isinstance(response, dict):
        raise _unreadable(hook, response, "response", "v1.AdmissionResponse")
    for name, (wanted, go_type) in _FIELDS.items():
        value = response.get(name)
        if value is not None and not isinstance(value, wanted):
            raise _unreadable(hook, value, f"response.{name}", go_type)
    for name in ("auditAnnotations", "warnings"):
        members = response.get(name) or ()
        for value in members.values() if isinstance(members, dict) else members:
            if not isinstance(value, str):
                raise _unreadable(hook, value, f"response.{name}", "string")


def _unreadable(hook: Hook, value: Any, name: str, go_type: str) -> CallError:
    found = _JSON_KINDS.get(type(value), "null")
    problem = f"json: cannot unmarshal {found} into Go struct field AdmissionReview.{name} of type {go_type}"
    return CallError(hook.name, f"failed to call webhook: {problem}")


def _patch_of(hook: Hook, response: Object) -> bytes:
    try:
        return base64.b64decode(response.get("patch") or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise CallError(hook.name, f"failed to call webhook: illegal base64 data in response.patch: {error}") from error


def _check_patch(hook: Hook, patch: bytes, kind: str | None, *, mutating: bool) -> None:
    if not mutating:
        if patch:
            raise _invalid(hook, "validating webhook may not return response.patch")
        if kind is not None:
            raise _invalid(hook, "validating webhook may not return response.patchType")
    elif patch and kind is None:
        raise _invalid(hook, "webhook returned response.patch but not response.patchType")
    elif not patch and kind is not None:
        raise _invalid(hook, "webhook returned response.patchType but not response.patch")
    elif kind == "":
        raise _invalid(hook, 'webhook returned invalid response.patchType of ""')


def _invalid(hook: Hook, why: str) -> CallError:
    return CallError(hook.name, f"received invalid webhook response: {why}")


def refusal(hook: Hook, said: Object | None) -> StatusError:
    """The Status for a webhook's no, in its own words (ToStatusErr)."""
    result = dict(said or {})
    code = result.get("code")
    code = code if isinstance(code, int) and 400 <= code < 1000 else 400
    denied = f'admission webhook "{hook.name}" denied the request'
    message, reason = _text(result, "message"), _text(result, "reason")
    text = f"{denied}: {message or reason}" if message or reason else f"{denied} without explanation"
    return status.from_status(status.status(code, reason, text, details=_details(result.get("details"))))


def _text(value: Object, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _details(said: Any) -> Object | None:
    """Details as a Status has them, whatever a webhook makes of them."""
    if not isinstance(said, dict):
        return None
    details: Object = {name: text for name in ("name", "group", "kind", "uid") if (text := _text(said, name))}
    causes = said.get("causes")
    if isinstance(causes, list) and causes:
        known = ("reason", "message", "field")
        details["causes"] = [
            {name: text for name in known if (text := _text(cause, name))}
            for cause in causes
            if isinstance(cause, dict)
        ]
    seconds = said.get("retryAfterSeconds")
    if isinstance(seconds, int) and 0 < seconds < _MOST_SECONDS:
        details["retryAfterSeconds"] = int(seconds)
    return details
