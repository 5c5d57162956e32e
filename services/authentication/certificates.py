"""Certificate chains verified as Go's crypto/x509 verifies a TLS client, which is what kube-apiserver accepts.

`cryptography`'s own verifier follows the web PKI profile: it wants a subject alternative name and knows no Ed25519,
so that it refuses the certificates that clusters really have. The rules here are those of Certificate.Verify: chains
through the intermediates that the client sent to one of the roots, every certificate within its validity, CAs marked
as such, path lengths, name constraints, no unhandled critical extension, extended key usages nested down the chain (a
certificate without any has all). Used by the x509 authenticator; the caller maps `VerificationError` to a rejection.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from services.authentication.name_constraints import ConstraintError, check_constraints

UNKNOWN_AUTHORITY = "x509: certificate signed by unknown authority"
INCOMPATIBLE_USAGE = "x509: certificate specifies an incompatible key usage"
NOT_AUTHORIZED_TO_SIGN = "x509: certificate is not authorized to sign other certificates"
TOO_MANY_INTERMEDIATES = "x509: too many intermediates for path length constraint"
UNHANDLED_EXTENSION = "x509: unhandled critical extension"

MAX_SIGNATURE_CHECKS = 100
"""Bound on the work that one hostile chain can cause, Go's maxChainSignatureChecks."""

_SECURE_HASHES = frozenset({"sha256", "sha384", "sha512"})
_HANDLED = frozenset(
    {
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    }
)


class VerificationError(Exception):
    """A certificate that cannot be trusted; the text is Go's where Go has one."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A certificate with the parts that verification asks for, taken out once."""

    certificate: x509.Certificate
    der: bytes
    subject: bytes
    issuer: bytes
    identity: tuple[bytes, bytes]
    """Subject and public key: the same authority may hold several certificates, and a chain takes it once."""
    authority: bool | None
    """Basic constraints: whether it may sign; None without that extension."""
    path_length: int | None
    may_sign: bool
    """False where a key usage forbids to sign certificates."""
    usages: frozenset[str] | None
    """Dotted extended key usages; None without that extension."""
    constraints: x509.NameConstraints | None
    names: tuple[x509.GeneralName, ...]
    """Subject alternative names."""
    unhandled: bool
    """Whether it has a critical extension that nobody here understands."""

    @property
    def version_3(self) -> bool:
        """Whether it can have extensions at all."""
        return self.certificate.version is x509.Version.v3


def load(der: bytes) -> Candidate:
    """Take a certificate apart. Raises VerificationError if it is malformed."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return _candidate(certificate, der)
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise VerificationError("x509: malformed certificate") from error


def _candidate(certificate: x509.Certificate, der: bytes) -> Candidate:
    values = {extension.oid: extension for extension in certificate.extensions}

    def value(oid: x509.ObjectIdentifier) -> object | None:
        extension = values.get(oid)
        return None if extension is None else extension.value

    basic, usage, extended = (
        value(ExtensionOID.BASIC_CONSTRAINTS),
        value(ExtensionOID.KEY_USAGE),
        value(ExtensionOID.EXTENDED_KEY_USAGE),
    )
    constraints, names = value(ExtensionOID.NAME_CONSTRAINTS), value(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    subject = certificate.subject.public_bytes()
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Candidate(
        certificate=certificate,
        der=der,
        subject=subject,
        issuer=certificate.issuer.public_bytes(),
        identity=(subject, key),
        authority=basic.ca if isinstance(basic, x509.BasicConstraints) else None,
        path_length=basic.path_length if isinstance(basic, x509.BasicConstraints) else None,
        may_sign=usage.key_cert_sign if isinstance(usage, x509.KeyUsage) else True,
        usages=frozenset(oid.dotted_string for oid in extended)
        if isinstance(extended, x509.ExtendedKeyUsage)
        else None,
        constraints=constraints if isinstance(constraints, x509.NameConstraints) else None,
        names=tuple(names) if isinstance(names, x509.SubjectAlternativeName) else (),
        unhandled=any(extension.critical and oid not in _HANDLED for oid, extension in values.items()),
    )


class Pool:
    """Certificates that may stand at the end of a chain."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        """Hold these; the same certificate twice counts once."""
        self._by_subject: dict[bytes, dict[bytes, Candidate]] = {}
        for candidate in candidates:
            self._by_subject.setdefault(candidate.subject, {})[candidate.der] = candidate

    def __contains__(self, candidate: Candidate) -> bool:
        return candidate.der in self._by_subject.get(candidate.subject, ())

    def issuers_of(self, candidate: Candidate) -> Iterable[Candidate]:
        """Return those whose subject is the certificate's issuer."""
        return self._by_subject.get(candidate.issuer, {}).values()


def load_bundle(data: bytes) -> Pool:
    """Read a PEM bundle, as client-go's cert.ParseCertsPEM: other blocks are skipped, one certificate is needed."""
    try:
        certificates = x509.load_pem_x509_certificates(data)
        return Pool(_candidate(certificate, certificate.public_bytes(Encoding.DER)) for certificate in certificates)
    except (ValueError, TypeError, x509.DuplicateExtension) as error:
        raise VerificationError("data does not contain any valid RSA or ECDSA certificates") from error


def verify_client(
    leaf: Candidate, intermediates: Sequence[Candidate], roots: Pool, now: datetime
) -> Sequence[Candidate]:
    """Return a chain from the leaf to a root that is good for client authentication. Raises VerificationError."""
    _check(leaf, (), now, intermediate=False)
    chains: list[tuple[Candidate, ...]] = [(leaf,)] if leaf in roots else []
    if not chains:
        chains = _Search(Pool(intermediates), roots, now).from_leaf(leaf)
    for chain in chains:
        if _usable_by_clients(chain):
            return chain
    raise VerificationError(INCOMPATIBLE_USAGE)


class _Search:
    """The depth-first search for chains, with its bound on signature checks."""

    def __init__(self, intermediates: Pool, roots: Pool, now: datetime) -> None:
        self._intermediates = intermediates
        self._roots = roots
        self._now = now
        self._checks = 0

    def from_leaf(self, leaf: Candidate) -> list[tuple[Candidate, ...]]:
        return self._extend((leaf,))

    def _extend(self, chain: tuple[Candidate, ...]) -> list[tuple[Candidate, ...]]:
        found: list[tuple[Candidate, ...]] = []
        problem: VerificationError | None = None
        for issuers, is_root in ((self._roots, True), (self._intermediates, False)):
            for issuer in issuers.issuers_of(chain[-1]):
                if any(issuer.identity == member.identity for member in chain):
                    continue
                try:
                    self._check_signature(chain[-1], issuer)
                    _check(issuer, chain, self._now, intermediate=not is_root)
                except VerificationError as error:
                    problem = problem or _because(error, issuer)
                    continue
                extended = (*chain, issuer)
                try:
                    found += [extended] if is_root else self._extend(extended)
                except VerificationError as error:
                    problem = error
        if found:
            return found
        raise problem or VerificationError(UNKNOWN_AUTHORITY)

    def _check_signature(self, child: Candidate, parent: Candidate) -> None:
        self._checks += 1
        if self._checks > MAX_SIGNATURE_CHECKS:
            raise VerificationError("x509: signature check attempts limit reached while verifying certificate chain")
        if parent.authority is False or (parent.version_3 and parent.authority is None) or not parent.may_sign:
            raise VerificationError("x509: invalid signature: parent certificate cannot sign this kind of certificate")
        hashed = child.certificate.signature_hash_algorithm
        if hashed is not None and hashed.name not in _SECURE_HASHES:
            raise VerificationError(f"x509: cannot verify signature: insecure algorithm {hashed.name}")
        try:
            child.certificate.verify_directly_issued_by(parent.certificate)
        except (InvalidSignature, TypeError, ValueError) as error:
            raise VerificationError("x509: invalid signature") from error


def _because(error: VerificationError, issuer: Candidate) -> VerificationError:
    """Return the failure of a chain for which this authority came close."""
    names = issuer.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    who = str(names[-1].value) if names else f"serial:{issuer.certificate.serial_number}"
    return VerificationError(
        f'{UNKNOWN_AUTHORITY} (possibly because of "{error}" '
        f"while trying to verify candidate authority certificate {json.dumps(who)})"
    )


def _check(candidate: Candidate, chain: Sequence[Candidate], now: datetime, *, intermediate: bool) -> None:
    """Check what a certificate must be by itself and above this chain (Go's Certificate.isValid)."""
    if candidate.unhandled:
        raise VerificationError(UNHANDLED_EXTENSION)
    certificate = candidate.certificate
    if now < certificate.not_valid_before_utc:
        raise _expired(now, "before", certificate.not_valid_before_utc)
    if now > certificate.not_valid_after_utc:
        raise _expired(now, "after", certificate.not_valid_after_utc)
    if chain and candidate.constraints is not None:
        try:
            check_constraints(candidate.constraints, [name for member in chain for name in member.names])
        except ConstraintError as error:
            raise VerificationError(
                f"x509: a root or intermediate certificate is not authorized to sign for this name: {error}"
            ) from error
    if intermediate and not candidate.authority:
        raise VerificationError(NOT_AUTHORIZED_TO_SIGN)
    if chain and candidate.path_length is not None and len(chain) - 1 > candidate.path_length:
        raise VerificationError(TOO_MANY_INTERMEDIATES)


def _expired(now: datetime, relation: str, bound: datetime) -> VerificationError:
    return VerificationError(
        "x509: certificate has expired or is not yet valid: "
        f"current time {_rfc3339(now)} is {relation} {_rfc3339(bound)}"
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _usable_by_clients(chain: Sequence[Candidate]) -> bool:
    """Tell whether no certificate of the chain excludes client authentication (Go's checkChainForKeyUsage)."""
    wanted = {ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string}
    return all(not member.usages or member.usages & wanted for member in chain)


def identifier(candidate: Candidate) -> str:
    """Identify a certificate in reasons and logs: serial number and key identifiers, as kube-apiserver prints them."""
    subject_key = authority_key = b""
    for extension in candidate.certificate.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            subject_key = extension.value.digest
        elif isinstance(extension.value, x509.AuthorityKeyIdentifier):
            authority_key = extension.value.key_identifier or b""
    return (
        f"SN={candidate.certificate.serial_number}, "
        f"SKID={subject_key.hex(':').upper()}, AKID={authority_key.hex(':').upper()}"
    )
