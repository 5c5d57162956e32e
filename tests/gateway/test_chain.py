"""The order of the chain: every constraint that gateway/chain.py gives."""

from __future__ import annotations

import pytest

from gateway import chain
from gateway.answers import Answer
from gateway.backends import Backends
from gateway.chain import Filter, Handler
from gateway.context import RequestContext
from gateway.lifecycle import Lifecycle
from gateway.metrics import Metrics
from tests.gateway.fakes import FakeAuthenticator, FakeAuthorizer, answering, raw

ORDER = [
    "audit_id",
    "panic_recovery",
    "received_timestamp",
    "request_info",
    "request_log",
    "cache_control",
    "status_errors",
    "wait_group",
    "deadline",
    "warnings",
    "cors",
    "tracing",
    "authentication",
    "audit",
    "impersonation",
    "max_in_flight",
    "authorization",
]

BEFORE = [
    ("audit_id", "panic_recovery"),
    ("panic_recovery", "request_log"),
    ("received_timestamp", "deadline"),
    ("request_info", "request_log"),
    ("request_log", "status_errors"),
    ("request_log", "authentication"),
    ("cache_control", "authentication"),
    ("wait_group", "authentication"),
    ("deadline", "authentication"),
    ("warnings", "authentication"),
    ("cors", "authentication"),
    ("tracing", "authentication"),
    ("authentication", "audit"),
    ("audit", "impersonation"),
    ("impersonation", "max_in_flight"),
    ("max_in_flight", "authorization"),
]


def parts(**changes: object) -> chain.Parts:
    backends = Backends(FakeAuthenticator(), FakeAuthorizer(lambda *_: True), None, None)  # type: ignore[arg-type]
    return chain.Parts(backends, Lifecycle(), Metrics(), **changes)  # type: ignore[arg-type]


def test_order_is_that_of_kube_apiserver() -> None:
    """The list is the handler chain of kube-apiserver, outermost first."""
    assert [entry.name for entry in chain.filters(parts())] == ORDER


@pytest.mark.parametrize(("outer", "inner"), BEFORE)
def test_constraint(outer: str, inner: str) -> None:
    """Each constraint explained in the chain holds."""
    names = [entry.name for entry in chain.filters(parts())]
    assert names.index(outer) < names.index(inner)


async def test_filters_run_outermost_first() -> None:
    """Composition keeps the order of the list, in and out."""
    walked: list[str] = []

    def noting(name: str) -> Filter:
        def wrap(handler: Handler) -> Handler:
            async def note(request: RequestContext) -> Answer:
                walked.append(f"into {name}")
                answer = await handler(request)
                walked.append(f"out of {name}")
                return answer

            return note

        return Filter(name, wrap)

    handler = chain.compose([noting("a"), noting("b")], answering())
    await handler(raw())
    assert walked == ["into a", "into b", "out of b", "out of a"]


async def test_recorders_see_refusals() -> None:
    """A recorder sits outside authentication, so that a 401 has a journey too."""
    seen: list[int] = []

    def wrap(handler: Handler) -> Handler:
        async def record(request: RequestContext) -> Answer:
            answer = await handler(request)
            seen.append(answer.status)
            return answer

        return record

    handler = chain.compose(chain.filters(parts(recorders=(Filter("journey", wrap),))), answering())
    await handler(raw(headers=[("Authorization", "Bearer wrong")]))
    assert seen == [401]


async def test_whole_chain_answers() -> None:
    """A permitted request passes every filter and carries what they add."""
    request = raw(headers=[("Authorization", "Bearer alice-token"), ("Audit-ID", "mine")])
    answer = await chain.compose(chain.filters(parts()), answering())(request)
    assert (answer.status, answer.body) == (200, b"ok")
    assert "".join(request.head) == "Audit-Id: mine\r\nCache-Control: no-cache, private\r\n"
    assert request.user.username == "alice"


async def test_unexpected_failure_is_bland() -> None:
    """A handler that breaks gives a 500 Status that tells the client nothing of the inside."""

    async def broken(_request: RequestContext) -> Answer:
        raise RuntimeError("password is hunter2")

    answer = await chain.compose(chain.filters(parts()), broken)(raw())
    assert answer.status == 500
    assert b"hunter2" not in answer.body
    assert b'"reason":"InternalError"' in answer.body
