"""Client certificates: which chains are accepted, and whom they name."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED, DECISION_NO_OPINION, DECISION_REJECTED
from services.authentication.authenticators.x509 import X509Authenticator, parse_bundle
from services.authentication.files import BadFileError, WatchedFile
from services.authentication.identity import Credentials, Finding, Trail
from tests.services.authentication.certificates import CLIENT, NOW, Issued, authority, client, issue, name


class Bench:
    """An authenticator with its CA file and its clock."""

    def __init__(self, path: Path, *roots: Issued) -> None:
        self.path = path
        path.write_bytes(b"".join(root.pem for root in roots))
        self.file = WatchedFile(path, partial(parse_bundle, str(path)))
        self.now = NOW.timestamp()
        self.authenticator = X509Authenticator(self.file, lambda: self.now)
        self.trail: Trail = []

    def ask(self, *chain: Issued | bytes) -> Finding:
        certificates = [each if isinstance(each, bytes) else each.der for each in chain]
        finding = self.authenticator.authenticate(Credentials(certificates, {}, "GET", "/", ()), self.trail)
        assert isinstance(finding, Finding)
        return finding


@pytest.fixture
def ca() -> Issued:
    return authority()


@pytest.fixture
def bench(tmp_path: Path, ca: Issued) -> Bench:
    return Bench(tmp_path / "ca.pem", ca)


def test_common_name_and_organizations_name_the_user(bench: Bench, ca: Issued) -> None:
    """CN is the user name, O are the groups, and the certificate's hash is the credential's id."""
    issued = client(ca)
    finding = bench.ask(issued)
    assert finding.decision == DECISION_AUTHENTICATED
    assert finding.user is not None
    assert finding.user.username == "alice"
    assert finding.user.groups == ("developers", "ops")
    assert finding.user.uid == ""
    digest = sha256(issued.der).hexdigest()
    assert finding.user.extra == {"authentication.kubernetes.io/credential-id": (f"X509SHA256={digest}",)}
    assert bench.trail[0].authenticator == "x509"


def test_the_uid_attribute_is_the_uid(bench: Bench, ca: Issued) -> None:
    """The subject attribute 1.3.6.1.4.1.57683.2 is the user's uid."""
    finding = bench.ask(client(ca, name("alice", uids=("42",))))
    assert finding.user is not None
    assert finding.user.uid == "42"


@pytest.mark.parametrize(
    ("uids", "problem"), [(("1", "2"), "expected 1 UID, but found multiple: [1 2]"), (("",), "UID cannot be an empty")]
)
def test_an_unusable_uid_is_rejected(bench: Bench, ca: Issued, uids: tuple[str, ...], problem: str) -> None:
    """Several uids, or an empty one, are no identity."""
    if uids == ("",):
        pytest.importorskip("cryptography")
        attribute = x509.NameAttribute(
            x509.ObjectIdentifier("1.3.6.1.4.1.57683.2"), "", x509.name._ASN1Type.UTF8String, _validate=False
        )
        subject = x509.Name([attribute, x509.NameAttribute(NameOID.COMMON_NAME, "alice")])
    else:
        subject = name("alice", uids=uids)
    finding = bench.ask(client(ca, subject))
    assert finding.decision == DECISION_REJECTED
    assert problem in finding.reason


def test_no_certificate_is_no_opinion(bench: Bench) -> None:
    """Without a client certificate there is nothing to judge."""
    assert bench.ask().decision == DECISION_NO_OPINION


def test_a_certificate_without_common_name_is_no_opinion(bench: Bench, ca: Issued) -> None:
    """A verified certificate that names nobody leaves the matter to others, as in kube-apiserver."""
    assert bench.ask(client(ca, name("", "developers"))).decision == DECISION_NO_OPINION


def test_the_intermediates_of_the_client_are_used(bench: Bench, ca: Issued) -> None:
    """A chain through intermediates is accepted, in whatever order, and only with them."""
    first = authority("first", ca)
    second = authority("second", first)
    leaf = client(second)
    assert bench.ask(leaf, second, first).decision == DECISION_AUTHENTICATED
    assert bench.ask(leaf, first, second).decision == DECISION_AUTHENTICATED
    missing = bench.ask(leaf, second)
    assert missing.decision == DECISION_REJECTED
    assert "x509: certificate signed by unknown authority" in missing.reason


def test_a_certificate_that_is_itself_trusted_is_accepted(tmp_path: Path) -> None:
    """A leaf in the bundle needs no authority."""
    lone = issue(name("alice"), usages=CLIENT)
    assert Bench(tmp_path / "ca.pem", lone).ask(lone).decision == DECISION_AUTHENTICATED


def test_edwards_keys_are_accepted(tmp_path: Path) -> None:
    """Ed25519, which the web's profile does not have, is fine for clients."""
    ca = authority(edwards=True)
    assert Bench(tmp_path / "ca.pem", ca).ask(client(ca, edwards=True)).decision == DECISION_AUTHENTICATED


def _chains() -> dict[str, tuple[str, ...]]:
    return {
        "expired": ("certificate has expired or is not yet valid: current time 2026-06-01T12:00:00Z is after",),
        "not-yet-valid": ("certificate has expired or is not yet valid: current time 2026-06-01T12:00:00Z is before",),
        "wrong-authority": ("x509: certificate signed by unknown authority",),
        "forged-issuer": ("x509: certificate signed by unknown authority", "invalid signature"),
        "server-only": ("x509: certificate specifies an incompatible key usage",),
        "signed-by-a-leaf": ("x509: certificate signed by unknown authority",),
        "expired-intermediate": ("x509: certificate signed by unknown authority",),
        "path-too-long": ("too many intermediates for path length constraint",),
        "intermediate-for-servers": ("x509: certificate specifies an incompatible key usage",),
        "unknown-critical-extension": ("x509: unhandled critical extension",),
        "outside-name-constraints": ("not authorized to sign for this name",),
        "garbage": ("malformed certificate",),
    }


@pytest.mark.parametrize("case", _chains())
def test_bad_chains_are_rejected(tmp_path: Path, case: str) -> None:
    """Everything that Go's verification refuses is refused, with a reason that says why."""
    ca = authority(path_length=0 if case == "path-too-long" else None)
    chain: list[Issued | bytes] = {
        "expired": lambda: [client(ca, not_before=NOW - timedelta(days=3), not_after=NOW - timedelta(days=2))],
        "not-yet-valid": lambda: [client(ca, not_before=NOW + timedelta(hours=1))],
        "wrong-authority": lambda: [client(authority("other"))],
        "forged-issuer": lambda: [client(authority())],
        "server-only": lambda: [client(ca, usages=(ExtendedKeyUsageOID.SERVER_AUTH,))],
        "signed-by-a-leaf": lambda: _through(client(ca, name("mallory"))),
        "expired-intermediate": lambda: _through(
            authority("old", ca, not_before=NOW - timedelta(days=3), not_after=NOW - timedelta(days=2))
        ),
        "path-too-long": lambda: _through(authority("too much", ca)),
        "intermediate-for-servers": lambda: _through(
            authority("servers", ca, usages=(ExtendedKeyUsageOID.SERVER_AUTH,))
        ),
        "unknown-critical-extension": lambda: [
            client(ca, extra=x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"))
        ],
        "outside-name-constraints": lambda: _through(
            authority("example", ca, constraints=x509.NameConstraints([x509.DNSName("example.com")], None)),
            names=(x509.DNSName("example.org"),),
        ),
        "garbage": lambda: [b"this is no certificate"],
    }[case]()
    finding = Bench(tmp_path / "ca.pem", ca).ask(*chain)
    assert finding.decision == DECISION_REJECTED
    for part in _chains()[case]:
        assert part in finding.reason


def _through(intermediate: Issued, **options: object) -> list[Issued | bytes]:
    return [client(intermediate, **options), intermediate]


def test_a_certificate_without_extended_key_usage_is_accepted(bench: Bench, ca: Issued) -> None:
    """No extended key usage means any, for Go and so for kube-apiserver."""
    assert bench.ask(client(ca, usages=())).decision == DECISION_AUTHENTICATED


def test_names_within_the_constraints_are_accepted(bench: Bench, ca: Issued) -> None:
    """An authority limited to some names may sign for those."""
    limited = authority("example", ca, constraints=x509.NameConstraints([x509.DNSName("example.com")], None))
    leaf = client(limited, names=(x509.DNSName("web.example.com"),))
    assert bench.ask(leaf, limited).decision == DECISION_AUTHENTICATED


def test_a_verified_certificate_is_remembered_until_it_expires(bench: Bench, ca: Issued) -> None:
    """The second request takes the same finding; after the end of validity it is judged anew, and rejected."""
    leaf = client(ca, not_after=NOW + timedelta(minutes=5))
    first = bench.ask(leaf)
    assert bench.ask(leaf) is first
    bench.now += 301
    assert bench.ask(leaf).decision == DECISION_REJECTED


def test_a_new_bundle_is_obeyed_at_once(bench: Bench, ca: Issued) -> None:
    """A client that an old CA let in is not remembered beyond the CA."""
    leaf, other = client(ca), authority("new")
    assert bench.ask(leaf).decision == DECISION_AUTHENTICATED
    bench.path.write_bytes(other.pem)
    assert bench.file.check(lambda *_: None)
    assert bench.ask(leaf).decision == DECISION_REJECTED
    assert bench.ask(client(other)).decision == DECISION_AUTHENTICATED


def test_a_bundle_without_certificates_is_refused(tmp_path: Path) -> None:
    """An empty bundle is a mistake, not a bundle that trusts nobody."""
    path = tmp_path / "ca.pem"
    path.write_bytes(b"nothing here\n")
    with pytest.raises(BadFileError, match=r"error loading certs from .*does not contain any valid"):
        WatchedFile(path, partial(parse_bundle, str(path)))


def test_a_chain_that_asks_for_endless_work_is_cut_short(tmp_path: Path) -> None:
    """Many intermediates that sign each other cost a bounded number of signature checks."""
    ca = authority("a")
    rivals = [authority("a") for _ in range(12)]
    leaf = client(rivals[0])
    finding = Bench(tmp_path / "ca.pem", ca).ask(leaf, *rivals)
    assert finding.decision == DECISION_REJECTED
