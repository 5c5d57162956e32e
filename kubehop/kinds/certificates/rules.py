"""What is wrong with certificate signing requests. Facts: pkg/apis/certificates/validation/validation.go."""

from __future__ import annotations

import base64
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
    "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
    "server auth", "signing", "timestamping",
)  # fmt: skip
_SPEC, _STATUS = Path("spec"), Path("status")
_DECISIONS = ("Approved", "Denied", "Failed")
_MIN_SECONDS = 600
_REQUEST_TYPE = b"CERTIFICATE REQUEST"
_BEGIN, _END = b"-----BEGIN ", b"-----END "
_MAX_SIGNER_BYTES = 253 + 253 + 63 + 1


def signing_request(obj: Object) -> Errors:
    """Check a request."""
    spec = obj.get("spec") or {}
    text = spec.get("request") or ""
    problem = _request_problem(base64.b64decode(text))
    if problem:
        yield fields.invalid(_SPEC.child("request"), text, problem)
    usages = spec.get("usages") or ()
    if not usages:
        yield fields.required(_SPEC.child("usages"))
    for index, usage in enumerate(usages):
        if usage not in USAGES:
            yield fields.not_supported(_SPEC.child("usages").index(index), usage, USAGES)
    for index, usage in enumerate(usages):
        if usage in usages[:index]:
            yield fields.duplicate(_SPEC.child("usages").index(index), usage)
    yield from signer_name(_SPEC.child("signerName"), spec.get("signerName") or "")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _MIN_SECONDS:
        text = "may not specify a duration less than 600 seconds (10 minutes)"
        yield fields.invalid(_SPEC.child("expirationSeconds"), seconds, text)
    yield from _conditions((obj.get("status") or {}).get("conditions") or ())


def _blocks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the PEM blocks of a text, each with its type."""
    found, rest = [], data
    while _BEGIN in rest:
        _, _, rest = rest.partition(_BEGIN)
        kind, dashes, after = rest.partition(b"-----")
        body, end, _ = after.partition(_END + kind + b"-----")
        if dashes and end:
            found.append((kind, body))
            rest = after[len(body) :]
    return found


def _request_problem(data: bytes) -> str:
    blocks = _blocks(data)
    if not blocks or blocks[0][0] != _REQUEST_TYPE:
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        request = x509.load_der_x509_csr(base64.b64decode(b"".join(blocks[0][1].split())))
        return "" if request.is_signature_valid else "x509: ECDSA verification failure"
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        return f"x509: malformed certificate request: {error}"


def signer_name(at: Path, name: str) -> Errors:
    """Check the name of a signer: `example.com/signer-name` (ValidateSignerName)."""
    if not name:
        yield fields.required(at)
        return
    domain, slash, path = name.partition("/")
    if not slash or not path or "/" in path:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield fields.invalid(at, name, text)
        return
    for message in names.dns1123_subdomain(domain):
        yield fields.invalid(at, domain, f"validating label {domain!r}: {message}".replace("'", '"', 2))
    if "." not in domain:
        yield fields.invalid(at, name, "should be a domain with at least two segments separated by dots")
    for message in names.dns1123_subdomain(path):
        yield fields.invalid(at, path, f"validating label {path!r}: {message}".replace("'", '"', 2))
    if names.byte_length(name) > _MAX_SIGNER_BYTES:
        yield fields.too_long(at, _MAX_SIGNER_BYTES)


def _conditions(conditions: Any) -> Errors:
    at = _STATUS.child("conditions")
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        kind, state = condition.get("type") or "", condition.get("status") or ""
        here = at.index(index)
        if not kind:
            yield fields.required(here.child("type"))
        allowed = ("True",) if kind in _DECISIONS else ("False", "True", "Unknown")
        if not state:
            yield fields.required(here.child("status"))
        elif state not in allowed:
            yield fields.not_supported(here.child("status"), state, allowed)
        if kind in ("Approved", "Denied") and {"Approved", "Denied"} - {kind} <= seen:
            yield fields.invalid(at, kind, "Approved and Denied conditions are mutually exclusive")
        if kind in seen:
            yield fields.duplicate(here.child("type"), kind)
        seen.add(kind)


def changes(new: Object, old: Object, subresource: str = "") -> Errors:
    """Check a request once more, and that nothing decided or issued is taken back."""
    at = _STATUS.child("conditions")
    for kind in _DECISIONS:
        after, before = _count(new, kind), _count(old, kind)
        if after < before:
            yield fields.forbidden(at, f'updates may not remove a condition of type "{kind}"')
        elif after > before and kind in ("Approved", "Denied") and subresource != "approval":
            yield fields.forbidden(at, f'updates may not add a condition of type "{kind}"')
    after, before = ((obj.get("status") or {}).get("certificate") or "" for obj in (new, old))
    if after != before and (before or subresource == "approval"):
        text = f"updates may not {'modify existing' if before else 'set'} certificate content"
        yield fields.forbidden(_STATUS.child("certificate"), text)


def certificate(obj: Object) -> Errors:
    """Check what was issued: certificates in PEM, and nothing else."""
    text = (obj.get("status") or {}).get("certificate") or ""
    if not text:
        return
    at, hidden = _STATUS.child("certificate"), "<certificate data>"
    blocks = _blocks(base64.b64decode(text))
    for kind, _ in blocks:
        if kind != b"CERTIFICATE":
            message = f'only CERTIFICATE PEM blocks are allowed, found "{kind.decode(errors="replace")}"'
            yield fields.invalid(at, hidden, message)
            return
    for _, body in blocks:
        try:
            x509.load_der_x509_certificate(base64.b64decode(b"".join(body.split())))
        except ValueError as error:
            yield fields.invalid(at, hidden, str(error))
            return
    if not blocks:
        yield fields.invalid(at, hidden, "must contain at least one CERTIFICATE PEM block")


def _count(obj: Object, kind: str) -> int:
    found = (obj.get("status") or {}).get("conditions") or ()
    return sum(condition.get("type") == kind for condition in found)
