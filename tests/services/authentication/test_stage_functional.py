"""The authentication stage as a real process, asked over its hop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from kubehop.hop.client import ClientSettings, StageClient
from kubehop.pb.authentication.v1 import (
    DECISION_AUTHENTICATED,
    DECISION_NO_OPINION,
    DECISION_REJECTED,
    AuthenticateRequest,
    AuthenticateResponse,
    AuthenticationRpcs,
    Header,
)
from kubehop.pb.hop.v1 import DescribeRequest, DescribeResponse, StageRpcs
from tests.services.authentication.certificates import Issued, authority, client
from tests.support.stages import StageProcess, stage

SECONDS = 20
TOKEN = "s3cr3t-t0ken"


class Running:
    """A running stage, its files and a client of it."""

    def __init__(self, directory: Path, process: StageProcess, hop: StageClient) -> None:
        self.directory = directory
        self.process = process
        self.hop = hop

    async def ask(self, *certificates: Issued, audiences: tuple[str, ...] = (), **headers: str) -> AuthenticateResponse:
        request = AuthenticateRequest(
            peer_certificates=[each.der for each in certificates],
            headers=[Header(name=name.replace("_", "-"), value=value) for name, value in headers.items()],
            method="GET",
            path="/api",
            audiences=audiences,
        )
        return await self.hop.call(AuthenticationRpcs.AUTHENTICATE, request)

    async def until(self, decision: int, *certificates: Issued, **headers: str) -> None:
        """Ask until the answer has this decision."""
        async with asyncio.timeout(SECONDS):
            while (await self.ask(*certificates, **headers)).decision != decision:
                await asyncio.sleep(0.02)

    @property
    def log(self) -> str:
        return self.process.log.read_text()


@asynccontextmanager
async def running(directory: Path, *flags: str, exchange: bool = True) -> AsyncIterator[Running]:
    with stage("services.authentication", directory / "authn.sock", "--reload-interval", "50ms", *flags) as process:
        hop = StageClient("authentication", [process.listen], settings=ClientSettings(exchange=exchange))
        await hop.connect()
        try:
            await hop.wait_ready(SECONDS)
            yield Running(directory, process, hop)
        finally:
            await hop.close()


@pytest.fixture
def ca() -> Issued:
    now = datetime.now(UTC)
    return authority(not_before=now - timedelta(hours=1), not_after=now + timedelta(hours=1))


def leaf(ca: Issued) -> Issued:
    now = datetime.now(UTC)
    return client(ca, not_before=now - timedelta(hours=1), not_after=now + timedelta(hours=1))


@pytest.fixture
async def authn(tmp_path: Path, ca: Issued) -> AsyncIterator[Running]:
    (tmp_path / "ca.pem").write_bytes(ca.pem)
    (tmp_path / "tokens.csv").write_text(f'{TOKEN},alice,u1,"dev,ops"\n')
    flags = ("--client-ca-file", str(tmp_path / "ca.pem"), "--token-auth-file", str(tmp_path / "tokens.csv"))
    async with running(tmp_path, *flags) as running_stage:
        yield running_stage


async def test_names_users_by_certificate_and_by_token(authn: Running, ca: Issued) -> None:
    """Both kinds of credentials name their user, who is one of system:authenticated."""
    by_token = await authn.ask(authorization=f"Bearer {TOKEN}")
    assert by_token.decision == DECISION_AUTHENTICATED
    assert by_token.user.username == "alice"
    assert by_token.user.uid == "u1"
    assert list(by_token.user.groups) == ["dev", "ops", "system:authenticated"]
    assert list(by_token.audiences) == ["https://kubernetes.default.svc"]
    assert by_token.authenticator == "tokenfile"
    by_certificate = await authn.ask(leaf(ca))
    assert by_certificate.user.username == "alice"
    assert by_certificate.authenticator == "x509"
    assert list(by_certificate.user.extra["authentication.kubernetes.io/credential-id"].values)


async def test_answers_the_same_over_the_typed_contract(tmp_path: Path) -> None:
    """A caller without the exchange lane gets the same answers."""
    async with running(tmp_path, exchange=False) as authn:
        answer = await authn.ask()
        assert answer.user.username == "system:anonymous"
        assert list(answer.user.groups) == ["system:unauthenticated"]


async def test_a_bad_credential_is_rejected_though_anonymous_is_on(authn: Running) -> None:
    """Wrong tokens and wrong certificates are 401, each with its reason and the evidence of all who were asked."""
    bad_token = await authn.ask(authorization="Bearer wr0ng")
    assert bad_token.decision == DECISION_REJECTED
    assert bad_token.reason == "invalid bearer token"
    assert [attempt.authenticator for attempt in bad_token.attempts] == ["x509", "tokenfile", "bearer"]
    bad_certificate = await authn.ask(leaf(authority("other")))
    assert bad_certificate.decision == DECISION_REJECTED
    assert "x509: certificate signed by unknown authority" in bad_certificate.reason
    assert (await authn.ask()).user.username == "system:anonymous"


async def test_a_good_token_saves_a_bad_certificate(authn: Running) -> None:
    """As in kube-apiserver, one valid credential is enough."""
    answer = await authn.ask(leaf(authority("other")), authorization=f"Bearer {TOKEN}")
    assert answer.decision == DECISION_AUTHENTICATED
    assert answer.attempts[0].decision == DECISION_REJECTED


async def test_the_client_is_warned_about_the_extra_space(authn: Running) -> None:
    """The warning that kube-apiserver sends comes with the answer."""
    answer = await authn.ask(authorization=f"Bearer  {TOKEN}")
    assert answer.user.username == "system:anonymous"
    assert list(answer.warnings) == [
        "the provided Authorization header contains extra space before the bearer token, and is ignored"
    ]


async def test_files_are_reloaded_without_a_restart(authn: Running, ca: Issued) -> None:
    """New tokens and CAs take effect, old ones end; a broken file keeps the old content and says so."""
    tokens, bundle = authn.directory / "tokens.csv", authn.directory / "ca.pem"
    tokens.write_text("n3w-t0ken,bob,u2\n")
    await authn.until(DECISION_AUTHENTICATED, authorization="Bearer n3w-t0ken")
    assert (await authn.ask(authorization=f"Bearer {TOKEN}")).decision == DECISION_REJECTED
    tokens.write_text("br0ken-t0ken\n")
    async with asyncio.timeout(SECONDS):
        while "cannot be used" not in authn.log:
            await asyncio.sleep(0.02)
    assert (await authn.ask(authorization="Bearer n3w-t0ken")).user.username == "bob"
    known, other = leaf(ca), authority("other", not_after=datetime.now(UTC) + timedelta(hours=1))
    assert (await authn.ask(known)).decision == DECISION_AUTHENTICATED
    bundle.write_bytes(other.pem)
    await authn.until(DECISION_REJECTED, known)


async def test_no_credential_is_ever_written(authn: Running, ca: Issued) -> None:
    """Neither answers nor logs repeat a token, good or bad."""
    answers = [await authn.ask(authorization=f"Bearer {token}") for token in (TOKEN, "wr0ng")]
    (authn.directory / "tokens.csv").write_text("br0ken-t0ken\n")
    async with asyncio.timeout(SECONDS):
        while "cannot be used" not in authn.log:
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    written = authn.log + "".join(str(answer) for answer in answers)
    for secret in (TOKEN, "wr0ng", "br0ken-t0ken"):
        assert secret not in written


async def test_anonymous_can_be_off(tmp_path: Path) -> None:
    """Without anonymous, a request without credentials is nobody's."""
    async with running(tmp_path, "--anonymous-auth", "false") as authn:
        assert (await authn.ask()).decision == DECISION_NO_OPINION


async def test_describes_itself(authn: Running) -> None:
    """Describe names the contract and the authenticators, and a digest that changes with a reloaded file."""
    before = await describe(authn)
    assert before.contract == "kubehop.authentication.v1"
    assert "authenticator:x509" in before.capabilities
    assert len(before.configuration_digest) == 64
    (authn.directory / "tokens.csv").write_text("n3w-t0ken,bob,u2\n")
    await authn.until(DECISION_AUTHENTICATED, authorization="Bearer n3w-t0ken")
    after = await describe(authn)
    assert after.configuration_digest != before.configuration_digest
    assert after.instance == before.instance


async def describe(authn: Running) -> DescribeResponse:
    async with grpc.aio.insecure_channel(authn.process.listen) as channel:
        call = channel.unary_unary(StageRpcs.DESCRIBE.path, response_deserializer=DescribeResponse.FromString)
        return await call(DescribeRequest().SerializeToString())


@pytest.mark.parametrize(
    ("content", "flags", "said"),
    [
        (None, ("--token-auth-file", "FILE"), "No such file"),
        (b"a,b\n", ("--token-auth-file", "FILE"), "must have at least 3 columns"),
        (b"", ("--client-ca-file", "FILE"), "does not contain any valid"),
        (b"", ("--anonymous-auth", "perhaps"), "write true or false"),
        (b"", ("--listen", "127.0.0.1:0"), "TCP needs"),
    ],
)
def test_what_the_operator_must_correct_ends_with_status_2(
    tmp_path: Path, content: bytes | None, flags: tuple[str, ...], said: str
) -> None:
    """A bad flag or file gets a clear line and exit status 2."""
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    given = [str(file) if flag == "FILE" else flag for flag in flags]
    if "--listen" not in given:
        given += ["--listen", f"unix:{tmp_path / 's.sock'}"]
    done = subprocess.run(
        [sys.executable, "-m", "services.authentication", *given],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
