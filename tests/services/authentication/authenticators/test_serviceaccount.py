"""Tokens of service accounts: words of refusals, revocation, what is remembered."""

from __future__ import annotations

import jwt
import pytest

from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED, DECISION_NO_OPINION, DECISION_REJECTED
from services.authentication import claims as claims_of
from services.authentication.authenticators import serviceaccount
from services.authentication.authenticators.serviceaccount import ServiceAccountAuthenticator
from services.authentication.identity import Finding
from services.authentication.issuer import IssuerSettings, Reference, TokenIssuer, Wanted
from services.authentication.keys import KeyRing, VerificationKey
from tests.services.authentication.accounts import ISSUER, NOTHING, Clock, Objects, elliptic, settled, signing

ACCOUNT = Reference("builder", "u-1")


class Bench:
    """An authenticator, the issuer of its tokens, its objects and its time."""

    def __init__(self) -> None:
        self.clock, self.objects = Clock(), Objects()
        self.signing = signing(elliptic())
        self.accepted: list[VerificationKey] = [self.signing.public]
        ring = KeyRing([lambda: self.accepted])
        self.issuer = TokenIssuer(IssuerSettings((ISSUER,), (ISSUER,)), lambda: self.signing, ring, self.clock)
        self.bound = ServiceAccountAuthenticator(
            "service-account", (ISSUER,), claims_of.read_bound, ring, self.objects, (ISSUER,), self.clock
        )
        self.legacy = ServiceAccountAuthenticator(
            "legacy", (claims_of.LEGACY_ISSUER,), claims_of.read_legacy, ring, self.objects, (ISSUER,), self.clock
        )
        self.objects.put("serviceaccounts", "ns", "builder", "u-1")

    def token(self, *audiences: str, **bound: Reference) -> str:
        return self.issuer.issue(Wanted("ns", ACCOUNT, 600, audiences, **bound)).token  # type: ignore[arg-type]

    async def ask(self, token: str, *audiences: str) -> Finding:
        credentials = NOTHING._replace(audiences=audiences or (ISSUER,))
        return await settled(self.bound.authenticate_token(token, credentials))

    async def reason(self, token: str) -> str:
        finding = await self.ask(token)
        assert finding.decision == DECISION_REJECTED
        return finding.reason

    def legacy_token(self, **changes: str) -> str:
        prefix = "kubernetes.io/serviceaccount/"
        names = {
            "namespace": "ns",
            "secret.name": "old",
            "service-account.name": "builder",
            "service-account.uid": "u-1",
        }
        body = {"iss": claims_of.LEGACY_ISSUER, "sub": "system:serviceaccount:ns:builder"}
        body.update({prefix + key: changes.get(key, value) for key, value in names.items()})
        body.update({key: value for key, value in changes.items() if key not in names})
        return jwt.encode(body, self.signing.key, "ES256")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    monkeypatch.setattr(serviceaccount.time, "monotonic", made.clock)
    return made


async def test_a_good_token_names_its_account(bench: Bench) -> None:
    """User name, uid, groups, the token's id and what it is bound to."""
    bench.objects.put("pods", "ns", "web-0", "p-1")
    token = bench.token(pod=Reference("web-0", "p-1"), node=Reference("n", "n-1"))
    finding = await bench.ask(token)
    assert finding.decision == DECISION_AUTHENTICATED
    assert finding.user is not None
    assert (finding.user.username, finding.user.uid) == ("system:serviceaccount:ns:builder", "u-1")
    assert finding.user.groups == ("system:serviceaccounts", "system:serviceaccounts:ns")
    extra = dict(finding.user.extra)
    assert extra.pop("authentication.kubernetes.io/credential-id")[0].startswith("JTI=")
    assert extra == {
        "authentication.kubernetes.io/pod-name": ("web-0",),
        "authentication.kubernetes.io/pod-uid": ("p-1",),
        "authentication.kubernetes.io/node-name": ("n",),
        "authentication.kubernetes.io/node-uid": ("n-1",),
    }


async def test_audiences(bench: Bench) -> None:
    """A token is good for those of its audiences that are asked for, and for nobody else."""
    token = bench.token("vault", ISSUER)
    assert (await bench.ask(token, "vault", "other")).audiences == ("vault",)
    assert (await bench.ask(bench.token("vault"))).decision == DECISION_REJECTED


async def test_time(bench: Bench) -> None:
    """A minute is allowed for clocks that differ; a known token expires like a new one."""
    token = bench.token()
    assert (await bench.ask(token)).decision == DECISION_AUTHENTICATED
    bench.clock.now += 659
    assert (await bench.ask(token)).decision == DECISION_AUTHENTICATED
    bench.clock.now += 2
    assert await bench.reason(token) == "service account token has expired"
    bench.clock.now -= 722
    assert await bench.reason(token) == "service account token is not valid yet"


async def test_revocation(bench: Bench) -> None:
    """A deletion counts after a second at the latest, a new account of the same name is another one."""
    token = bench.token()
    await bench.ask(token)
    asked = bench.objects.asked
    await bench.ask(token)
    assert bench.objects.asked == asked  # within the second nobody is asked again
    del bench.objects.objects["serviceaccounts", "ns", "builder"]
    bench.clock.now += 1.1
    assert await bench.reason(token) == 'serviceaccounts "builder" not found'
    bench.objects.put("serviceaccounts", "ns", "builder", "u-2")
    assert await bench.reason(token) == "service account UID (u-2) does not match claim (u-1)"


@pytest.mark.parametrize(("kind", "resource"), [("pod", "pods"), ("secret", "secrets"), ("node", "nodes")])
async def test_bound_objects(bench: Bench, kind: str, resource: str) -> None:
    """A token dies with what it is bound to: gone, another one of the name, or deleted for more than a minute."""
    token = bench.token(**{kind: Reference("x", "x-1")})
    assert await bench.reason(token) == "service account token has been invalidated"
    namespace = "" if kind == "node" else "ns"
    bench.objects.put(resource, namespace, "x", "x-2")
    assert "UID (x-2) does not match" in await bench.reason(token)
    deleting = {"deletionTimestamp": "2027-01-15T07:58:30Z"}  # 90 s before NOW
    bench.objects.put(resource, namespace, "x", "x-1", metadata=deleting)
    assert await bench.reason(token) == "service account token has been invalidated"
    bench.objects.put(resource, namespace, "x", "x-1", metadata={"deletionTimestamp": "2027-01-15T07:59:30Z"})
    assert (await bench.ask(token)).decision == DECISION_AUTHENTICATED


async def test_keys_change(bench: Bench) -> None:
    """A key that is taken away takes its tokens with it, remembered or not."""
    token = bench.token()
    await bench.ask(token)
    bench.accepted = [signing(elliptic()).public]
    assert await bench.reason(token) == "the token's signature is not valid"
    bench.accepted = []
    assert await bench.reason(token) == "invalid signature, no keys found"


async def test_what_is_not_ours(bench: Bench) -> None:
    """Other issuers' tokens and texts that are no tokens are left to others."""
    assert (await bench.ask("opaque")).decision == DECISION_NO_OPINION
    assert (await bench.ask(bench.legacy_token())).decision == DECISION_NO_OPINION


async def test_legacy_tokens_live_in_their_secret(bench: Bench) -> None:
    """Without the secret, with another content, or marked invalid they are worth nothing."""

    async def reason(token: str) -> str:
        return (await settled(bench.legacy.authenticate_token(token, NOTHING))).reason

    token = bench.legacy_token()
    assert await reason(token) == "Token has been invalidated"
    bench.objects.put_secret("ns", "old", {"token": "another"})
    assert await reason(token) == "Token does not match server's copy"
    labels = {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}
    bench.objects.put_secret("ns", "old", {"token": token}, metadata={"labels": labels})
    assert "has been marked invalid" in await reason(token)
    bench.objects.put_secret("ns", "old", {"token": token})
    finding = await settled(bench.legacy.authenticate_token(token, NOTHING))
    assert finding.user is not None
    assert finding.user.extra == {}
    assert await reason(bench.legacy_token(sub="system:serviceaccount:ns:other")) == "sub claim is invalid"
    assert await reason(bench.legacy_token(**{"secret.name": ""})) == "secretName claim is missing"


async def test_the_memory_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest token is forgotten for a new one."""
    monkeypatch.setattr(serviceaccount, "REMEMBERED_TOKENS", 2)
    for _ in range(5):
        assert (await bench.ask(bench.token())).decision == DECISION_AUTHENTICATED
    assert len(bench.bound._verified) == 2


async def test_stale_tokens_are_told(bench: Bench) -> None:
    """A token that lasts longer than it should have been used says so in the evidence."""
    bench.objects.put("pods", "ns", "web-0", "p-1")
    made = bench.issuer.issue(Wanted("ns", ACCOUNT, 3607, pod=Reference("web-0", "p-1")))
    bench.clock.now += 3707
    assert (await bench.ask(made.token)).reason == "stale token, 100 s after it should have been renewed"
