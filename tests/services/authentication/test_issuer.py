"""Tokens as they are issued, and the documents about them."""

from __future__ import annotations

import json

import jwt
import pytest

from services.authentication.issuer import IssuerSettings, Reference, TokenIssuer, Wanted, problems
from services.authentication.keys import KeyRing
from tests.services.authentication.accounts import ISSUER, NOW, elliptic, rsa_key, signing

ACCOUNT = Reference("builder", "u-1")
POD = Reference("web-0", "p-1")


def issuer(**settings: object) -> TokenIssuer:
    key = signing(elliptic())
    made = IssuerSettings((ISSUER,), (ISSUER,), **settings)  # type: ignore[arg-type]
    return TokenIssuer(made, lambda: key, KeyRing([lambda: (key.public,)]), lambda: NOW)


def claims(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})


def test_claims_are_kube_apiservers() -> None:
    """A token says for whom, by whom, for how long and what it is bound to; its header has algorithm and key id."""
    made = issuer().issue(Wanted("ns", ACCOUNT, 600, ("vault",), pod=POD, node=Reference("n", "")))
    found = claims(made.token)
    token_id = found.pop("jti")
    assert isinstance(token_id, str)
    assert len(token_id) == 36
    assert found == {
        "aud": ["vault"],
        "exp": NOW + 600,
        "iat": NOW,
        "nbf": NOW,
        "iss": ISSUER,
        "sub": "system:serviceaccount:ns:builder",
        "kubernetes.io": {
            "namespace": "ns",
            "node": {"name": "n"},
            "pod": {"name": "web-0", "uid": "p-1"},
            "serviceaccount": {"name": "builder", "uid": "u-1"},
        },
    }
    assert set(jwt.get_unverified_header(made.token)) == {"alg", "kid"}
    assert made.token not in repr(made)


def test_audiences_default_to_the_api_servers() -> None:
    """A token that is for nobody in particular is for the API server."""
    made = issuer().issue(Wanted("ns", ACCOUNT, 600))
    assert made.audiences == (ISSUER,)
    assert claims(made.token)["aud"] == [ISSUER]


def test_tokens_of_pods_are_extended() -> None:
    """A pod's token of 3607 s for the API server lasts a year and warns after 3607 s; any other lasts as asked for."""
    made = issuer().issue(Wanted("ns", ACCOUNT, 3607, pod=POD))
    found = claims(made.token)
    assert found["exp"] == NOW + 365 * 24 * 3600
    assert found["kubernetes.io"]["warnafter"] == NOW + 3607  # type: ignore[index]
    assert made.expiration_seconds == 3607
    for wanted in (
        Wanted("ns", ACCOUNT, 3607),
        Wanted("ns", ACCOUNT, 3600, pod=POD),
        Wanted("ns", ACCOUNT, 3607, ("vault",), pod=POD),
    ):
        assert claims(issuer().issue(wanted).token)["exp"] == NOW + wanted.expiration_seconds
    assert claims(issuer(extend=False).issue(Wanted("ns", ACCOUNT, 3607, pod=POD)).token)["exp"] == NOW + 3607


def test_the_bound_shortens_with_a_warning() -> None:
    """More than the maximum is given as the maximum, and the client is told."""
    made = issuer(max_expiration=7200).issue(Wanted("ns", ACCOUNT, 9000))
    assert made.expiration_seconds == 7200
    assert made.warnings == ("requested expiration of 9000 seconds shortened to 7200 seconds",)


def test_documents() -> None:
    """Discovery names the key set below the issuer, or where the flag says; the key set has no private part."""
    configuration, key_set = map(json.loads, issuer().documents())
    assert configuration == {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
    assert set(key_set["keys"][0]) == {"use", "kid", "alg", "kty", "crv", "x", "y"}
    assert json.loads(issuer(jwks_uri="https://keys").documents()[0])["jwks_uri"] == "https://keys"
    key = signing(rsa_key())
    settings = IssuerSettings(("kubernetes/serviceaccount",), ())
    assert TokenIssuer(settings, lambda: key, KeyRing([])).documents() == (b"", b"")
    assert set(key.public.to_jwk()) == {"use", "kid", "alg", "kty", "n", "e"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (IssuerSettings(("a:b",), ()), "not a valid URL"),
        (IssuerSettings((ISSUER,), (), 60), "at least 1h"),
        (IssuerSettings((ISSUER,), (), 1 << 33), "at most 2^32"),
    ],
)
def test_settings_are_checked(settings: IssuerSettings, words: str) -> None:
    """Issuers that look like broken URLs and bounds outside kube-apiserver's are told."""
    assert words in problems(settings)[0]
    assert not problems(IssuerSettings((ISSUER, "plain"), (), 3600))
