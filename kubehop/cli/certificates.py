"""Making keys and X.509 certificates: ECDSA on P-256, PKCS #8, PEM.

Called by pki.py, which knows what is wanted; loaded only when something has to be made or looked at, since
`cryptography` is the heaviest import of the command.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubehop.cli.errors import CommandError

BACKDATED = dt.timedelta(minutes=5)  # clocks of other machines may be a little behind
AUTHORITY_LIFE = dt.timedelta(days=3650)
LEAF_LIFE = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority that can sign."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def signed(self, certificate: x509.Certificate) -> bool:
        """Whether this authority issued the certificate."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except Exception:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate names and what for. `names` are host names and IP addresses."""

    common_name: str
    organizations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    server: bool = False
    client: bool = False


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def new_authority(common_name: str, now: dt.datetime) -> Authority:
    """A self-signed authority that may sign leaves only."""
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def issue(
    authority: Authority, subject: Subject, public_key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.Certificate:
    """Sign a leaf certificate; it never outlives its authority."""
    life = min(LEAF_LIFE, authority.certificate.not_valid_after_utc - now)
    name = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in subject.organizations]
        + [x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name)]
    )
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH] * subject.server + [ExtendedKeyUsageOID.CLIENT_AUTH] * subject.client
    builder = (
        _builder(name, authority.certificate.subject, public_key, now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if subject.names:
        names = x509.SubjectAlternativeName([_general_name(n) for n in subject.names])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Host names and IP addresses that a certificate is good for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (
        *found.get_values_for_type(x509.DNSName),
        *(str(address) for address in found.get_values_for_type(x509.IPAddress)),
    )


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(
            f"{path} holds no PEM certificate: repair it, or move it away to have a new one made"
        ) from error


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key of a PEM file; ours are all on an elliptic curve."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise CommandError(f"{path} holds no PEM private key without password: repair it, or move it away") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CommandError(
            f"{path} is not an elliptic curve key, as kubehop makes them: move it away to have a new one made"
        )
    return key


def same_key(certificate: x509.Certificate, public: CertificatePublicKeyTypes) -> bool:
    """Whether a certificate was made for this public key."""
    return public_pem(certificate.public_key()) == public_pem(public)


def public_pem(key: CertificatePublicKeyTypes) -> bytes:
    """SubjectPublicKeyInfo as PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def write_certificate(path: Path, certificate: x509.Certificate) -> None:
    """Write a certificate as PEM, readable by everybody who can enter its directory."""
    _write(path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def write_public_key(path: Path, key: CertificatePublicKeyTypes) -> None:
    """Write a public key as PEM."""
    _write(path, public_pem(key), 0o644)


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a private key as PKCS #8 PEM for its owner only."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(path, pem, 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
