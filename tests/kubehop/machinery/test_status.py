"""Status errors: codes, reasons, messages and details as clients parse them."""

from __future__ import annotations

import pytest

from kubehop.machinery import fields, status
from kubehop.machinery.status import StatusError


@pytest.mark.parametrize(
    ("error", "code", "reason", "message", "details"),
    [
        (
            status.not_found("apps", "deployments", "web"),
            404,
            "NotFound",
            'deployments.apps "web" not found',
            {"name": "web", "group": "apps", "kind": "deployments"},
        ),
        (
            status.already_exists("", "pods", "a"),
            409,
            "AlreadyExists",
            'pods "a" already exists',
            {"name": "a", "kind": "pods"},
        ),
        (
            status.conflict("", "pods", "a"),
            409,
            "Conflict",
            (
                'Operation cannot be fulfilled on pods "a": the object has been modified; '
                "please apply your changes to the latest version and try again"
            ),
            {"name": "a", "kind": "pods"},
        ),
        (status.unauthorized(), 401, "Unauthorized", "Unauthorized", None),
        (
            status.forbidden("", "pods", "a", "no"),
            403,
            "Forbidden",
            'pods "a" is forbidden: no',
            {"name": "a", "kind": "pods"},
        ),
        (status.forbidden("", "", "", "no"), 403, "Forbidden", "forbidden: no", {}),
        (
            status.method_not_supported("apps", "deployments", "create"),
            405,
            "MethodNotAllowed",
            'create is not supported on resources of kind "deployments.apps"',
            {"group": "apps", "kind": "deployments"},
        ),
        (
            status.server_timeout("", "pods", "create", 2),
            500,
            "ServerTimeout",
            "The create operation against pods could not be completed at this time, please try again.",
            {"name": "create", "kind": "pods", "retryAfterSeconds": 2},
        ),
        (
            status.internal_error("oops"),
            500,
            "InternalError",
            "Internal error occurred: oops",
            {"causes": [{"message": "oops"}]},
        ),
        (status.timeout("too slow"), 504, "Timeout", "Timeout: too slow", {}),
        (
            status.too_large_resource_version(5, 9, 1),
            504,
            "Timeout",
            "Timeout: Too large resource version: 9, current: 5",
            {
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            },
        ),
        (
            status.request_entity_too_large("limit is 3145728"),
            413,
            "RequestEntityTooLarge",
            "Request entity too large: limit is 3145728",
            None,
        ),
        (status.gone("old"), 410, "Gone", "old", None),
        (
            status.unsupported_media_type(["a/b", "c/d"]),
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: a/b, c/d",
            None,
        ),
        (
            status.not_acceptable(["a/b"]),
            406,
            "NotAcceptable",
            "only the following media types are accepted: a/b",
            None,
        ),
        (
            status.not_acceptable(["a/b"], "Table"),
            406,
            "NotAcceptable",
            "only the following media types are accepted when converting to Table: a/b",
            None,
        ),
        (status.unknown("strange"), 500, "", "strange", None),
        (status.too_many_requests("wait", 3), 429, "TooManyRequests", "wait", {"retryAfterSeconds": 3}),
        (
            status.generate_name_conflict("", "pods", "a-1"),
            409,
            "AlreadyExists",
            'pods "a-1" already exists, the server was not able to generate a unique name for the object',
            {"name": "a-1", "kind": "pods", "retryAfterSeconds": 1},
        ),
    ],
)
def test_constructors(error, code, reason, message, details):
    """Each constructor gives what apimachinery's of the same name gives."""
    assert isinstance(error, StatusError)
    assert (error.code, error.reason, error.message) == (code, reason, message)
    assert error.status.get("details") == details
    assert [key for key in error.status if key in {"kind", "apiVersion", "metadata", "status"}] == [
        "kind",
        "apiVersion",
        "metadata",
        "status",
    ]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (404, "the server could not find the requested resource"),
        (405, "the server does not allow this method on the requested resource"),
        (422, "the server rejected our request due to an error in our request"),
        (503, "the server is currently unable to handle the request"),
        (418, "the server responded with the status code 418 but did not return more information"),
        (500, 'an error on the server ("said") has prevented the request from succeeding'),
        (403, "said"),
        (409, "the server reported a conflict"),
    ],
)
def test_generic_responses(code, message):
    """A code alone has its words, and details even when they are empty."""
    error = status.generic_server_response(code, server_message="said")
    assert (error.code, error.message, error.status["details"]) == (code, message, {})


def test_generic_response_of_a_resource():
    """With a resource the message says what was asked of it, and an unexpected answer is a cause."""
    error = status.generic_server_response(404, "GET", "apps", "deployments", "web", "gone", unexpected=True)
    assert error.message == "the server could not find the requested resource (get deployments.apps web)"
    assert error.has_cause("UnexpectedServerResponse")
    assert status.generic_server_response(409, "POST").reason == "AlreadyExists"


def test_retry_after_becomes_a_header():
    """Seconds to wait are in the header, too."""
    assert status.service_unavailable("storage", "connection refused").headers == {"Retry-After": "1"}
    assert status.not_found("", "pods", "a").headers == {}


def test_a_stage_that_is_away_is_named():
    """503 says which stage is missing."""
    error = status.service_unavailable("storage", "connection refused")
    assert (error.code, error.reason) == (503, "ServiceUnavailable")
    assert error.message == "the storage stage is unavailable: connection refused"
    assert error.details["name"] == "storage"


def test_expired_lists_carry_a_token():
    """A pager finds the token to go on with in the metadata."""
    error = status.resource_expired(status.CONTINUE_INCONSISTENT, "token")
    assert (error.code, error.reason, error.status["metadata"]) == (410, "Expired", {"continue": "token"})


def test_invalid_lists_all_causes_and_says_each_text_once():
    """Repeated errors stay in the causes and leave the message."""
    errors = [fields.immutable("metadata.uid", "x"), fields.immutable("metadata.uid", "x"), fields.required("spec.a")]
    error = status.invalid("apps", "Deployment", "web", errors)
    assert error.message == (
        'Deployment.apps "web" is invalid: [metadata.uid: Invalid value: "x": field is immutable, '
        "spec.a: Required value]"
    )
    assert len(error.details["causes"]) == 3
    assert error.details["causes"][2] == {
        "reason": "FieldValueRequired",
        "message": "Required value",
        "field": "spec.a",
    }


def test_access_denied_is_sanitized():
    """What a user chose never looks like HTML."""
    error = status.access_denied(
        user="<bob>", verb="get", resource_request=True, resource="pods", subresource="log", namespace="shop", name="a"
    )
    assert error.message == (
        'pods "a" is forbidden: User "&lt;bob&gt;" cannot get resource "pods/log" in API group "" in the '
        'namespace "shop"'
    )
    error = status.access_denied(user="bob", verb="get", resource_request=False, path="/metrics", reason="why")
    assert error.message == 'forbidden: User "bob" cannot get path "/metrics": why'
    error = status.access_denied(user="bob", verb="list", resource_request=True, group="apps", resource="deployments")
    assert error.message.endswith('cannot list resource "deployments" in API group "apps" at the cluster scope')


def test_success_has_no_code():
    """The answer to a deletion is a Status without code and message."""
    assert status.success(kind="pods", name="a", uid="u") == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "a", "kind": "pods", "uid": "u"},
    }
