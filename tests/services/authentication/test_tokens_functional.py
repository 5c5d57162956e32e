"""Service account tokens from the stage as a real process, with the storage stage there and away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from kubehop.hop.errors import HopError
from kubehop.pb.authentication.v1 import (
    DECISION_AUTHENTICATED,
    DECISION_REJECTED,
    AuthenticationRpcs,
    DescribeIssuerRequest,
    IssueTokenRequest,
    ObjectReference,
)
from tests.services.authentication.accounts import elliptic, private_pem, public_pem
from tests.services.authentication.test_stage_functional import running

WANTED = IssueTokenRequest(
    namespace="ns", service_account=ObjectReference(name="builder", uid="u-1"), expiration_seconds=600
)


async def test_storage_away_is_no_answer(tmp_path: Path) -> None:
    """While storage cannot be asked, a token is neither good nor bad; one that is not ours is refused all the same."""
    (tmp_path / "sa.key").write_bytes(private_pem(elliptic()))
    flags = (f"--service-account-signing-key-file={tmp_path / 'sa.key'}", f"--storage=unix:{tmp_path / 'none.sock'}")
    async with running(tmp_path, *flags) as stage:
        issued = await stage.hop.call(AuthenticationRpcs.ISSUE_TOKEN, WANTED)
        with pytest.raises(HopError) as caught:
            await stage.ask(authorization=f"Bearer {issued.token}")
        assert caught.value.code is grpc.StatusCode.UNAVAILABLE
        assert (await stage.ask(authorization="Bearer nobody")).decision == DECISION_REJECTED
        assert issued.token not in stage.log


async def test_no_key_no_tokens(tmp_path: Path) -> None:
    """A stage without a signing key says so, and has no documents."""
    async with running(tmp_path) as stage:
        with pytest.raises(HopError) as caught:
            await stage.hop.call(AuthenticationRpcs.ISSUE_TOKEN, WANTED)
        assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
        described = await stage.hop.call(AuthenticationRpcs.DESCRIBE_ISSUER, DescribeIssuerRequest())
        assert not described.configuration
        assert not described.key_set


async def test_half_a_question_is_refused(tmp_path: Path) -> None:
    """A token needs an account with a uid, a namespace and an expiration."""
    (tmp_path / "sa.key").write_bytes(private_pem(elliptic()))
    flags = (f"--service-account-signing-key-file={tmp_path / 'sa.key'}", f"--storage=unix:{tmp_path / 'none.sock'}")
    async with running(tmp_path, *flags) as stage:
        for missing in ("namespace", "service_account", "expiration_seconds"):
            asked = IssueTokenRequest()
            asked.CopyFrom(WANTED)
            asked.ClearField(missing)  # type: ignore[arg-type]
            with pytest.raises(HopError) as caught:
                await stage.hop.call(AuthenticationRpcs.ISSUE_TOKEN, asked)
            assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_keys_are_rotated_without_a_restart(tmp_path: Path) -> None:
    """A new signing key signs as soon as its file is there; the public file says what is accepted and published."""
    old, new = elliptic(), elliptic()
    (tmp_path / "sa.key").write_bytes(private_pem(old))
    (tmp_path / "sa.pub").write_bytes(public_pem(old))
    flags = (
        f"--service-account-signing-key-file={tmp_path / 'sa.key'}",
        f"--service-account-key-file={tmp_path / 'sa.pub'}",
        f"--storage=unix:{tmp_path / 'none.sock'}",
    )
    async with running(tmp_path, *flags) as stage:
        before = await stage.hop.call(AuthenticationRpcs.DESCRIBE_ISSUER, DescribeIssuerRequest())
        (tmp_path / "sa.pub").write_bytes(public_pem(new) + public_pem(old))
        (tmp_path / "sa.key").write_bytes(private_pem(new))
        async with asyncio.timeout(20):
            while True:
                after = await stage.hop.call(AuthenticationRpcs.DESCRIBE_ISSUER, DescribeIssuerRequest())
                if after.key_set != before.key_set:
                    break
                await asyncio.sleep(0.02)
        assert after.key_set.count(b'"kid"') == 2
        (tmp_path / "sa.key").write_bytes(b"no key")
        async with asyncio.timeout(20):
            while "the old content stays in force" not in stage.log:
                await asyncio.sleep(0.02)
        assert (await stage.hop.call(AuthenticationRpcs.ISSUE_TOKEN, WANTED)).token


async def test_static_tokens_need_no_storage(tmp_path: Path) -> None:
    """Other credentials go on while storage is away."""
    (tmp_path / "sa.key").write_bytes(private_pem(elliptic()))
    (tmp_path / "tokens.csv").write_text("t0ken,admin,1\n")
    flags = (
        f"--service-account-signing-key-file={tmp_path / 'sa.key'}",
        f"--token-auth-file={tmp_path / 'tokens.csv'}",
        f"--storage=unix:{tmp_path / 'none.sock'}",
    )
    async with running(tmp_path, *flags) as stage:
        assert (await stage.ask(authorization="Bearer t0ken")).decision == DECISION_AUTHENTICATED
