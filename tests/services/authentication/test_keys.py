"""Keys: read from PEM, named as kube-apiserver names them, never shown."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.authentication.files import BadFileError
from services.authentication.keys import KeyRing, VerificationKey, parse_keys, parse_signing_key
from tests.services.authentication.accounts import elliptic, private_pem, public_pem, rsa_key


def test_the_id_is_the_hash_of_the_public_key() -> None:
    """The kid is the SHA-256 of the DER, base64url without padding; private and public halves have the same."""
    key = elliptic()
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    expected = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    (public,) = parse_keys("f", public_pem(key))
    assert public.id == expected == parse_signing_key("f", private_pem(key)).public.id
    assert parse_keys("f", private_pem(key)) == (public,)


def test_algorithms_follow_the_type() -> None:
    """An RSA key signs RS256, curves the algorithm of their size, and no key knows a shared-secret algorithm."""
    keys = [rsa_key(), elliptic(), ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP521R1())]
    found = [VerificationKey.of(key.public_key()) for key in keys]
    assert [key.algorithms[0] for key in found] == ["RS256", "ES256", "ES384", "ES512"]
    assert not any(name.startswith("HS") or name == "none" for key in found for name in key.algorithms)
    assert len(base64.urlsafe_b64decode(found[3].to_jwk()["x"] + "==")) == 66


def test_several_keys_in_one_file() -> None:
    """A file may hold keys of any sort, and a ring gathers files without repeating a key."""
    one, other = elliptic(), rsa_key()
    keys = parse_keys("f", public_pem(one) + b"noise\n" + private_pem(other))
    assert [key.algorithms[0] for key in keys] == ["ES256", "RS256"]
    assert KeyRing([lambda: keys, lambda: keys[:1]]).keys == keys


@pytest.mark.parametrize("data", [b"", b"-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n"])
def test_files_without_keys_are_refused(data: bytes) -> None:
    """A file without a key that can be used is an error that names the file."""
    with pytest.raises(BadFileError, match=r"sa\.pub"):
        parse_keys("sa.pub", data)
    with pytest.raises(BadFileError, match=r"sa\.key"):
        parse_signing_key("sa.key", data)


def test_keys_that_cannot_sign_tokens_are_refused() -> None:
    """Edwards keys and strange curves are refused by name, without quoting the key."""
    raw = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(BadFileError, match="neither an RSA nor an ECDSA key"):
        parse_signing_key("f", raw)
    with pytest.raises(BadFileError, match="unknown private key curve"):
        VerificationKey.of(ec.generate_private_key(ec.SECP256K1()).public_key())
    broken = private_pem(elliptic()).replace(b"M", b"A", 1)
    with pytest.raises(BadFileError) as caught:
        parse_signing_key("f", broken)
    assert caught.value.__cause__ is None
    assert "MIG" not in str(caught.value)


def test_no_repr_shows_a_private_key() -> None:
    """What is printed of a key is its id."""
    key = parse_signing_key("f", private_pem(elliptic()))
    assert "object at" not in repr(key)
    assert key.public.id in repr(key)
