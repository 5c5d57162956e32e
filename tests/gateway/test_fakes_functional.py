"""The fakes of the gateway's tests answer as the real stages do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from gateway.backends import AuthenticationBackend, AuthorizationBackend, StorageBackend
from gateway.identities import Identity
from kubehop.hop.client import StageClient
from kubehop.pb.authorization.v1 import DECISION_ALLOW, Attributes
from kubehop.pb.storage.v1 import Key, WatchRequest
from tests.gateway.fakes import FakeAuthenticator, FakeAuthorizer, FakeWatches, context, raw
from tests.support.cluster import Cluster


@pytest.fixture
async def stage(pipeline: Cluster, request: pytest.FixtureRequest) -> AsyncIterator[StageClient]:
    """A client of the stage that the test names."""
    name = request.param
    client = StageClient(name, [f"unix:{pipeline.directory}/{name}.sock"])
    await client.wait_ready(10)
    yield client
    await client.close()


@pytest.mark.parametrize("stage", ["authentication"], indirect=True)
@pytest.mark.parametrize("header", ["", "Bearer alice-token", "Bearer wrong", "Bearer  alice-token"])
async def test_authenticator(stage: StageClient, header: str) -> None:
    """Decision, name and warnings are the same."""
    answers = []
    for authenticator in (FakeAuthenticator(), AuthenticationBackend(stage)):
        request = raw(headers=[("Authorization", header)] if header else [])
        request.audit_id = "fakes"
        verdict = await authenticator.authenticate(request)
        answers.append((verdict.decision, verdict.user.username, list(verdict.warnings)))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("stage", ["authorization"], indirect=True)
async def test_authorizer(stage: StageClient) -> None:
    """Masters are allowed, strangers are not."""
    attributes = Attributes(
        verb="get", resource_request=True, api_version="v1", resource="pods", namespace="a", name="b"
    )
    fake = FakeAuthorizer(lambda user, _: "system:masters" in user.groups)
    for groups in (("system:masters",), ("nobody",)):
        user = Identity("somebody", "", groups, {}).to_user_info()
        verdicts = [
            (await authorizer.authorize(context(), user, attributes)).decision == DECISION_ALLOW
            for authorizer in (fake, AuthorizationBackend(stage))
        ]
        assert verdicts[0] == verdicts[1]


@pytest.mark.parametrize("stage", ["storage"], indirect=True)
async def test_watches(stage: StageClient) -> None:
    """A watch says nothing until something happens, and closing it ends it."""
    message = WatchRequest(key=Key(resource="configmaps", namespace="nowhere"), resource_version="1000000")
    for storage in (FakeWatches(), StorageBackend(stage)):
        async with aclosing(storage.watch(None, message)) as events:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(events), 0.3)
