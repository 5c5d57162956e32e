"""Filters that decide: authentication, impersonation, max in flight, authorization."""

from __future__ import annotations

import asyncio

import pytest

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.filters import authentication, authorization, impersonation, max_in_flight
from gateway.metrics import Metrics
from kubehop.machinery.status import StatusError
from kubehop.pb.authentication.v1 import ExtraValues, UserInfo
from kubehop.pb.authorization.v1 import Attributes
from tests.gateway.fakes import FakeAuthenticator, FakeAuthorizer, answering, context, raw


async def test_known_token_sets_the_user() -> None:
    """The handler finds who asks."""
    request = raw(headers=[("Authorization", "Bearer alice-token")])
    await authentication.wrap(answering(), FakeAuthenticator())(request)
    assert request.user.username == "alice"
    assert request.requester is request.user


@pytest.mark.parametrize("anonymous", [True, False])
async def test_unknown_token_is_401(anonymous: bool) -> None:
    """A wrong credential is refused, even where anonymous requests are let in."""
    request = raw(headers=[("Authorization", "Bearer wrong")])
    with pytest.raises(StatusError) as caught:
        await authentication.wrap(answering(), FakeAuthenticator(anonymous=anonymous))(request)
    assert (caught.value.code, caught.value.message) == (401, "Unauthorized")


async def test_warnings_of_authentication_reach_the_client() -> None:
    """What the stage warns of is kept for the answer."""
    request = raw(headers=[("Authorization", "Bearer  alice-token")])
    await authentication.wrap(answering(), FakeAuthenticator())(request)
    assert request.warnings is not None
    assert "extra space" in next(iter(request.warnings))


async def test_denied_request_reads_like_kube_apiservers() -> None:
    """The 403 names user, verb, resource, group and place."""
    handler = authorization.wrap(answering(), FakeAuthorizer(lambda *_: False))
    request = context("DELETE", "/apis/apps/v1/namespaces/dev/deployments/web/scale")
    with pytest.raises(StatusError) as caught:
        await handler(request)
    assert caught.value.message == (
        'deployments.apps "web" is forbidden: User "alice" cannot delete resource "deployments/scale" in API group '
        '"apps" in the namespace "dev"'
    )
    assert caught.value.details == {"name": "web", "group": "apps", "kind": "deployments"}


async def test_selectors_are_part_of_the_question() -> None:
    """A list with selectors asks about just these objects."""
    authorizer = FakeAuthorizer(lambda *_: True)
    request = context(target="/api/v1/pods?labelSelector=a+in+(x,y),b!=z&fieldSelector=spec.nodeName%3Dn")
    await authorization.wrap(answering(), authorizer)(request)
    (asked,) = authorizer.asked
    assert [(one.key, list(one.values)) for one in asked.label_selector] == [("a", ["x", "y"]), ("b", ["z"])]
    assert [(one.key, list(one.values)) for one in asked.field_selector] == [("spec.nodeName", ["n"])]


async def test_malformed_selectors_widen_the_question() -> None:
    """A selector that cannot be read is no restriction; the handler refuses it later."""
    authorizer = FakeAuthorizer(lambda *_: True)
    await authorization.wrap(answering(), authorizer)(context(target="/api/v1/pods?labelSelector=a+b"))
    assert not authorizer.asked[0].label_selector


def legacy(user: UserInfo, attributes: Attributes) -> bool:
    """Allows the old verb only."""
    return attributes.verb == "impersonate"


async def impersonated(authorizer: FakeAuthorizer, *headers: tuple[str, str], user: str = "alice") -> RequestContext:
    request = context(headers=headers, user=user)
    await impersonation.wrap(answering(), authorizer)(request)
    return request


async def test_no_headers_no_questions() -> None:
    """Without impersonation headers nothing is asked."""
    authorizer = FakeAuthorizer(lambda *_: False)
    request = await impersonated(authorizer)
    assert (request.user.username, authorizer.asked) == ("alice", [])


async def test_every_attribute_is_a_question() -> None:
    """User, uid, groups and extra are each asked about, and the real user is not forgotten."""
    authorizer = FakeAuthorizer(legacy)
    request = await impersonated(
        authorizer, ("Impersonate-User", "bob"), ("Impersonate-Uid", "7"), ("Impersonate-Group", "ops"),
        ("impersonate-group", "dev"), ("Impersonate-Extra-Example.com%2fTeam", "blue"),
    )  # fmt: skip
    asked = [(one.resource, one.subresource, one.name) for one in authorizer.asked if one.verb == "impersonate"]
    assert asked == [
        ("users", "", "bob"), ("uids", "", "7"), ("groups", "", "ops"), ("groups", "", "dev"),
        ("userextras", "example.com/team", "blue"),
    ]  # fmt: skip
    assert request.user == UserInfo(
        username="bob", uid="7", groups=["ops", "dev", "system:authenticated"],
        extra={"example.com/team": ExtraValues(values=["blue"])},
    )  # fmt: skip
    assert request.requester.username == "alice"


async def test_service_accounts_bring_their_groups() -> None:
    """A service account is asked about as one, and gets the groups of its namespace."""
    authorizer = FakeAuthorizer(legacy)
    request = await impersonated(authorizer, ("Impersonate-User", "system:serviceaccount:dev:robot"))
    asked = authorizer.asked[-1]
    assert (asked.resource, asked.namespace, asked.name) == ("serviceaccounts", "dev", "robot")
    assert list(request.user.groups) == [
        "system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"]  # fmt: skip


async def test_constrained_impersonation_asks_about_the_request_first() -> None:
    """With the new verbs a user may act as another for just one kind of request."""

    def allows(_user: UserInfo, attributes: Attributes) -> bool:
        if attributes.verb == "impersonate-on:user-info:get":
            return (attributes.resource, attributes.name) == ("pods", "a")
        return (attributes.verb, attributes.resource, attributes.api_group) == (
            "impersonate:user-info", "users", "authentication.k8s.io")  # fmt: skip

    request = await impersonated(FakeAuthorizer(allows), ("Impersonate-User", "bob"))
    assert request.user.username == "bob"


async def test_masters_cannot_be_impersonated_by_the_new_verbs() -> None:
    """The refusal of the first mode is what the client reads."""
    authorizer = FakeAuthorizer(lambda _user, asked: asked.verb.startswith("impersonate-on"))
    with pytest.raises(StatusError) as caught:
        await impersonated(authorizer, ("Impersonate-User", "bob"), ("Impersonate-Group", "system:masters"))
    assert caught.value.code == 403


async def test_attributes_without_a_user_are_refused() -> None:
    """The message prints the request as Go prints the struct."""
    with pytest.raises(StatusError) as caught:
        await impersonated(FakeAuthorizer(legacy), ("Impersonate-Group", "ops"))
    assert caught.value.code == 400
    assert caught.value.message == (
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"ops"}, Extra:map[string][]string(nil)} '
        "without impersonating a user name"
    )


async def test_limit_of_requests_in_flight() -> None:
    """Beyond the limit a request is told to come back; reading and mutating are counted apart; masters pass."""
    release = asyncio.Event()

    async def slow(_request: RequestContext) -> Answer:
        await release.wait()
        return Answer(200, b"")

    metrics = Metrics()
    handler = max_in_flight.wrap(slow, 1, 1, metrics)
    first = asyncio.create_task(handler(context()))
    await asyncio.sleep(0)
    second = context()
    answer = await handler(second)
    assert (answer.status, answer.body) == (429, b"Too many requests, please try again later.\n")
    assert "Retry-After: 1\r\n" in second.head
    others = [
        asyncio.create_task(handler(context("POST", "/api/v1/namespaces/a/pods"))),
        asyncio.create_task(handler(context(groups=["system:masters"]))),
    ]
    await asyncio.sleep(0)
    release.set()
    assert [(await task).status for task in (first, *others)] == [200, 200, 200]
    assert metrics.in_flight == {"readOnly": 0, "mutating": 0}
