"""Keys and certificates: what is made, what is kept, what is renewed."""

import stat
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from kubehop.cli import credentials
from kubehop.cli.errors import CommandError

NAMES = ["gateway", "10.96.0.1"]
DAY = 86400


@pytest.fixture
def pki(tmp_path):
    credentials.ensure(tmp_path / "pki", NAMES, lambda _: None)
    return tmp_path / "pki"


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def contents(directory):
    return {p: p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_every_process_has_its_own_directory_with_private_keys(pki):
    """Keys are P-256, readable by their owner only, in directories that only the owner enters."""
    keys = list(pki.rglob("*.key"))
    assert {p.parent.name for p in keys} == {
        "authorities", "gateway", "authentication", "authorization", "admission", "storage", "etcd", "admin",
    }  # fmt: skip
    for path in keys:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        key = load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.curve.name == "secp256r1"


def test_authorities_sign_only_their_own(pki):
    """A hop's certificate is worth nothing to etcd or to the gateway's clients, and so on."""
    authorities = {name: certificate(pki / "authorities" / f"{name}.crt") for name in credentials.AUTHORITIES}
    for leaf in credentials.leaves(NAMES):
        issued = certificate(pki / f"{leaf.path}.crt")
        for name, authority in authorities.items():
            if name == leaf.authority:
                issued.verify_directly_issued_by(authority)
            else:
                with pytest.raises(ValueError, match="Issuer"):
                    issued.verify_directly_issued_by(authority)


def test_admin_is_a_cluster_master_and_can_only_be_a_client(pki):
    """CN kubernetes-admin in group system:masters, as kubeadm has it."""
    admin = certificate(pki / "admin" / "client.crt")
    assert admin.subject.rfc4514_string() == "CN=kubernetes-admin,O=system:masters"
    usage = admin.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_serving_certificate_names_every_way_to_the_gateway(pki):
    """Loopback, what was asked for, and nothing twice."""
    found = certificate(pki / "gateway" / "serving.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert found.value.get_values_for_type(x509.DNSName) == ["localhost", "gateway"]
    assert [str(a) for a in found.value.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1", "10.96.0.1"]


def test_second_call_changes_nothing(pki):
    """What is there and good stays byte for byte, and needs no attention."""
    before = contents(pki)
    assert credentials.attention(pki, NAMES) == []
    said = []
    credentials.ensure(pki, NAMES, said.append)
    assert said == []
    assert contents(pki) == before


def test_certificates_near_their_end_are_renewed_for_the_same_key(pki):
    """Eleven months later each leaf is issued again, reported, and authorities and keys stay."""
    before, later = contents(pki), time.time() + 340 * DAY
    assert any("expires on" in line for line in credentials.attention(pki, NAMES, later))
    said = []
    credentials.ensure(pki, NAMES, said.append, later)
    assert {line.split(") ")[1].split(",")[0] for line in said} == {f"{x.path}.crt" for x in credentials.leaves(NAMES)}
    after = contents(pki)
    changed = {str(p.relative_to(pki)) for p in before if after[p] != before[p]}
    assert changed == {f"{x.path}.crt" for x in credentials.leaves(NAMES)} | {"authorities/index.json"}
    assert credentials.attention(pki, NAMES, later) == []


def test_another_name_renews_only_the_serving_certificate(pki):
    """Names once given stay good."""
    said = []
    credentials.ensure(pki, ["api.example.org"], said.append)
    assert len(said) == 1
    assert said[0].startswith("renewed (it lacked api.example.org) gateway/serving.crt")
    assert credentials.attention(pki, [*NAMES, "api.example.org"]) == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda pki: (pki / "storage" / "hop.key").unlink(), "hop.key is missing beside hop.crt"),
        (lambda pki: (pki / "storage" / "hop.crt").write_text("x"), "hop.crt holds no PEM certificate"),
        (
            lambda pki: (pki / "storage" / "hop.crt").write_bytes((pki / "admission" / "hop.crt").read_bytes()),
            "do not belong together",
        ),
        (lambda pki: (pki / "authentication" / "service-accounts.key").unlink(), "is missing beside"),
    ],
)
def test_damage_is_told_and_not_papered_over(pki, damage, message):
    """What can be neither used nor safely replaced stops with a line that names the file."""
    damage(pki)
    assert credentials.attention(pki, NAMES)
    with pytest.raises(CommandError, match=message):
        credentials.ensure(pki, NAMES, lambda _: None)


def test_authority_keys_may_be_kept_elsewhere(pki):
    """As long as nothing has to be signed, nobody asks for them."""
    (pki / "authorities" / "hops.key").unlink()
    assert credentials.attention(pki, NAMES) == []
    with pytest.raises(CommandError, match=r"hops\.key is missing beside its other half"):
        credentials.ensure(pki, NAMES, lambda _: None)


def test_authority_near_its_end_is_not_replaced_silently(pki):
    """Its replacement locks clients out, so that somebody has to ask for it."""
    with pytest.raises(CommandError, match="the authority serving expires on"):
        credentials.ensure(pki, NAMES, lambda _: None, time.time() + 3640 * DAY)


def test_a_certificate_of_ones_own_authority_is_refused(pki, tmp_path):
    """A foreign certificate under our name is not overwritten."""
    credentials.ensure(tmp_path / "other", NAMES, lambda _: None)
    for name in ("hop.crt", "hop.key"):
        (pki / "storage" / name).write_bytes((tmp_path / "other" / "storage" / name).read_bytes())
    with pytest.raises(CommandError, match=r"is not signed by authorities/hops\.crt"):
        credentials.ensure(pki, NAMES, lambda _: None)


def test_set_aside_keeps_the_old_ones(pki):
    """--force moves, it does not delete."""
    before = {p.relative_to(pki): c for p, c in contents(pki).items()}
    aside = credentials.set_aside(pki)
    assert {p.relative_to(aside): c for p, c in contents(aside).items()} == before
    assert not pki.exists()
