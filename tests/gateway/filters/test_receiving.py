"""Filters that receive a request: audit id, time, URL, deadline, warnings, CORS, traces, wait group."""

from __future__ import annotations

import re

import pytest

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.filters import (
    audit_id,
    cache_control,
    cors,
    deadline,
    panic_recovery,
    received_timestamp,
    request_info,
    status_errors,
    tracing,
    wait_group,
    warnings,
)  # fmt: skip
from gateway.lifecycle import Lifecycle
from kubehop.machinery import status
from kubehop.machinery.status import StatusError
from tests.gateway.fakes import answering, context, raising, raw


def test_new_audit_ids_are_random_uuids() -> None:
    """Ids are version 4 UUIDs, never the same."""
    made = {audit_id.new_audit_id() for _ in range(100)}
    assert len(made) == 100
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one) for one in made
    )


async def test_audit_id_of_the_client_is_kept_and_echoed() -> None:
    """A client that names its request finds the name in the answer."""
    request = raw(headers=[("audit-id", "from-client")])
    await audit_id.wrap(answering())(request)
    assert request.audit_id == "from-client"
    assert request.head == ["Audit-Id: from-client\r\n"]


async def test_status_errors_become_answers() -> None:
    """What a filter raises is answered with its Status and headers."""
    request = context()
    answer = await status_errors.wrap(raising(status.too_many_requests("later", 7)))(request)
    assert answer.status == 429
    assert answer.head == "Retry-After: 7\r\n"
    assert b'"message":"later"' in answer.body


async def test_errors_come_as_yaml_where_preferred() -> None:
    """An error takes the form that the client accepts."""
    request = context(headers=[("Accept", "application/yaml")])
    answer = await status_errors.wrap(raising(status.not_found("", "pods", "a")))(request)
    assert answer.content_type == "application/yaml"
    assert b'message: pods "a" not found\n' in answer.body


async def test_client_that_left_is_not_answered() -> None:
    """A lost connection passes through: there is nobody to tell."""
    with pytest.raises(ConnectionResetError):
        await panic_recovery.wrap(raising(ConnectionResetError()))(raw())


async def test_received_time_is_noted() -> None:
    """The clock is read before anything else happens."""
    request = raw()
    await received_timestamp.wrap(answering(), clock=lambda: 12.5)(request)
    assert request.received == 12.5


async def test_request_info_is_parsed_with_the_query() -> None:
    """The verb depends on the query: a list becomes a watch, which is long-running."""
    request = raw(target="/api/v1/namespaces/a/pods?watch=1&labelSelector=x%3Dy")
    await request_info.wrap(answering())(request)
    assert (request.info.verb, request.info.label_selector) == ("watch", "x=y")
    assert request.long_running


async def test_unfinished_path_is_an_internal_error() -> None:
    """kube-apiserver answers 500 in plain text for /api/v1/watch."""
    answer = await request_info.wrap(answering())(raw(target="/api/v1/watch"))
    assert answer.status == 500
    assert answer.content_type.startswith("text/plain")


async def test_answers_are_not_cached() -> None:
    """Every answer forbids caching."""
    request = raw()
    await cache_control.wrap(answering())(request)
    assert request.head == ["Cache-Control: no-cache, private\r\n"]


@pytest.mark.parametrize(
    ("target", "seconds"),
    [("/version", 60), ("/version?timeout=5s", 5), ("/version?timeout=0s", 60), ("/version?timeout=1h", 60)],
)
async def test_deadline(target: str, seconds: float) -> None:
    """A request may take a minute, less where the client says so, never more."""
    request = context(target=target)
    request.received = 1000.0
    await deadline.wrap(answering(), 60.0)(request)
    assert request.deadline == 1000.0 + seconds
    assert request.call.deadline == request.deadline


async def test_malformed_timeout_is_refused() -> None:
    """The message is Go's."""
    with pytest.raises(StatusError) as caught:
        await deadline.wrap(answering(), 60.0)(context(target="/version?timeout=soon"))
    assert caught.value.message == ('invalid timeout specified in the request URL - time: invalid duration "soon"')


async def test_long_running_requests_have_no_deadline() -> None:
    """A watch is not cut off after a minute."""
    request = context()
    request.long_running = True
    await deadline.wrap(answering(), 60.0)(request)
    assert request.deadline is None


async def test_warnings_become_headers_even_on_errors() -> None:
    """Each warning goes out once, quoted, whether the request succeeds or not."""

    async def warn(request: RequestContext) -> Answer:
        for text in ("first", 'say "hi" \\ bye', "first", "line\nbreak"):
            request.add_warning(text)
        raise status.unauthorized()

    request = context()
    with pytest.raises(StatusError):
        await warnings.wrap(warn)(request)
    assert request.head == ['Warning: 299 - "first"\r\n', 'Warning: 299 - "say \\"hi\\" \\\\ bye"\r\n']


async def test_too_many_warnings_are_shortened() -> None:
    """Beyond 4096 characters each warning keeps 256."""

    async def warn(request: RequestContext) -> Answer:
        for number in range(30):
            request.add_warning(f"{number:02d}" + "x" * 1000)
        return Answer(200, b"")

    request = context()
    await warnings.wrap(warn)(request)
    assert len(request.head) == 16
    assert all(len(line) == len('Warning: 299 - ""\r\n') + 256 for line in request.head)


async def test_preflight_of_an_allowed_origin() -> None:
    """A preflight is answered without going further; other origins get nothing."""
    handler = cors.wrap(answering(), [re.compile(r"//example\.com$")])
    request = raw("OPTIONS", headers=[("Origin", "https://example.com")])
    assert (await handler(request)).status == 204
    assert request.head[0].startswith("Access-Control-Allow-Origin: https://example.com\r\n")
    other = raw("OPTIONS", headers=[("Origin", "https://example.org")])
    assert (await handler(other)).status == 200
    assert other.head == []


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", True),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", False),
        ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", False),
        ("nonsense", False),
    ],
)
async def test_trace_context(header: str, kept: bool) -> None:
    """A valid traceparent travels with every hop, a malformed one counts as none."""
    request = raw(headers=[("traceparent", header)])
    await tracing.wrap(answering())(request)
    assert (request.traceparent == header) is kept


async def test_wait_group_counts_and_turns_away() -> None:
    """Requests in flight are counted; once draining, new ones are sent away to try again, health checks are not."""
    lifecycle = Lifecycle()
    counted: list[int] = []

    async def count(_request: RequestContext) -> Answer:
        counted.append(lifecycle.in_flight)
        return Answer(200, b"")

    handler = wait_group.wrap(count, lifecycle)
    await handler(context())
    assert (counted, lifecycle.in_flight, lifecycle.drained.is_set()) == ([1], 0, True)
    lifecycle.draining = True
    request = context()
    with pytest.raises(StatusError) as caught:
        await handler(request)
    assert (caught.value.code, caught.value.message) == (503, "apiserver is shutting down")
    assert "Retry-After: 1\r\n" in "".join(request.head)
    assert (await handler(context(target="/readyz"))).status == 200
