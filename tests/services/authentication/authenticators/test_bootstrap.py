"""Bootstrap tokens in their secrets."""

from __future__ import annotations

from typing import Any

import pytest

from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED, DECISION_NO_OPINION
from services.authentication.authenticators.bootstrap import BootstrapTokenAuthenticator
from services.authentication.identity import Finding
from tests.services.authentication.accounts import ISSUER, NOTHING, Clock, Objects, settled

SECRET = "0123456789abcdef"
TOKEN = f"abcdef.{SECRET}"
GOOD = {
    "token-id": "abcdef",
    "token-secret": SECRET,
    "usage-bootstrap-authentication": "true",
    "expiration": "2027-01-15T09:00:00Z",
    "auth-extra-groups": "system:bootstrappers:b,system:bootstrappers:a",
}


async def ask(data: dict[str, str], token: str = TOKEN, audience: str = ISSUER, **more: Any) -> Finding:
    objects = Objects()
    more.setdefault("type", "bootstrap.kubernetes.io/token")
    objects.put_secret("kube-system", "bootstrap-token-abcdef", data, **more)
    authenticator = BootstrapTokenAuthenticator(objects, (ISSUER,), Clock())
    return await settled(authenticator.authenticate_token(token, NOTHING._replace(audiences=(audience,))))


async def test_a_good_token() -> None:
    """The user is named by the token's id; extra groups are sorted behind the group of all bootstrappers."""
    finding = await ask(GOOD)
    assert finding.decision == DECISION_AUTHENTICATED
    assert finding.user is not None
    assert finding.user.username == "system:bootstrap:abcdef"
    assert finding.user.groups == ("system:bootstrappers", "system:bootstrappers:a", "system:bootstrappers:b")


@pytest.mark.parametrize(
    "changes",
    [
        {"token-id": "abcdeg"},
        {"token-secret": "fedcba9876543210"},
        {"token-secret": ""},
        {"usage-bootstrap-authentication": "True"},
        {"expiration": "2027-01-15T08:00:00Z"},
        {"expiration": "2027-01-15T09:00:00"},
        {"expiration": "soon"},
        {"auth-extra-groups": "system:masters"},
        {"auth-extra-groups": "system:bootstrappers:a,admins"},
    ],
)
async def test_bad_secrets(changes: dict[str, str]) -> None:
    """One thing wrong and nobody is known; no reason quotes the secret."""
    finding = await ask({**GOOD, **changes})
    assert finding.decision == DECISION_NO_OPINION
    assert SECRET not in finding.reason


async def test_other_refusals() -> None:
    """Other types of secrets, those being deleted, other audiences and other forms of tokens are not looked at."""
    assert (await ask(GOOD, type="Opaque")).decision == DECISION_NO_OPINION
    assert (await ask(GOOD, metadata={"deletionTimestamp": "2027-01-15T07:00:00Z"})).decision == DECISION_NO_OPINION
    assert (await ask(GOOD, audience="vault")).decision == DECISION_NO_OPINION
    for token in ("ABCDEF." + SECRET, "abcdef." + SECRET + "\n", "abcde." + SECRET, "abcdef" + SECRET, ""):
        assert (await ask(GOOD, token)).decision == DECISION_NO_OPINION
