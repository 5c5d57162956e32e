"""Certificate authorities and client certificates made to order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")
CLIENT = (ExtendedKeyUsageOID.CLIENT_AUTH,)

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def name(common_name: str, *organizations: str, uids: tuple[str, ...] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations]
    attributes += [x509.NameAttribute(UID, each) for each in uids]
    if common_name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def issue(
    subject: x509.Name,
    issuer: Issued | None = None,
    *,
    ca: bool = False,
    path_length: int | None = None,
    usages: tuple[x509.ObjectIdentifier, ...] = (),
    not_before: datetime = NOW - timedelta(days=1),
    not_after: datetime = NOW + timedelta(days=1),
    names: tuple[x509.GeneralName, ...] = (),
    constraints: x509.NameConstraints | None = None,
    extra: x509.ExtensionType | None = None,
    basic: bool = True,
    edwards: bool = False,
) -> Issued:
    """Issue a certificate, by itself or by an authority."""
    key: Key = ed25519.Ed25519PrivateKey.generate() if edwards else ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    if basic:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if constraints:
        builder = builder.add_extension(constraints, critical=True)
    if extra:
        builder = builder.add_extension(extra, critical=True)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Issued(builder.sign(signer, algorithm), key)


def authority(common_name: str = "kubehop-ca", issuer: Issued | None = None, **options: object) -> Issued:
    return issue(name(common_name), issuer, ca=True, **options)


def client(issuer: Issued, subject: x509.Name | None = None, **options: object) -> Issued:
    options.setdefault("usages", CLIENT)
    return issue(subject or name("alice", "developers", "ops"), issuer, **options)
