"""What is wrong with a certificate signing request, and what its paths may not change.

Called by the strategy beside it. As pkg/apis/certificates/validation of Kubernetes.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from kubehop.kinds.printing import at
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path
from kubehop.machinery.gotext import quote

Object = dict[str, Any]

APPROVAL = ("Approved", "Denied")
LEAST_SECONDS = 600
USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
    "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
    "server auth", "signing", "timestamping",
)  # fmt: skip
_SPEC, _CONDITIONS, _CERTIFICATE = Path("spec"), Path("status", "conditions"), Path("status", "certificate")
_STATUSES = ("True", "False", "Unknown")
_ONLY_TRUE = ("Approved", "Denied", "Failed")
_PEM = re.compile(rb"-----BEGIN ([^-\n]+)-----\r?\n(.*?)-----END \1-----", re.DOTALL)
_LONGEST_DOMAIN = 253


def check(obj: Object) -> Errors:
    """Check an object, new or changed."""
    spec = obj.get("spec") or {}
    request = spec.get("request") or ""
    if problem := _request_problem(request):
        yield fields.invalid(_SPEC.child("request"), request, problem)
    yield from _usages(spec.get("usages") or ())
    yield from _signer(spec.get("signerName") or "")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < LEAST_SECONDS:
        text = "may not specify a duration less than 600 seconds (10 minutes)"
        yield fields.invalid(_SPEC.child("expirationSeconds"), seconds, text)
    yield from _conditions(at(obj, "status", "conditions") or ())
    if problem := _certificate_problem(at(obj, "status", "certificate") or ""):
        yield fields.invalid(_CERTIFICATE, "<certificate data>", problem)


def check_update(new: Object, old: Object, *, may_approve: bool = False, may_issue: bool = False) -> Errors:
    """Check what has changed."""
    for kind in _ONLY_TRUE:
        if len(_of(new, kind)) < len(_of(old, kind)):
            yield fields.forbidden(_CONDITIONS, f"updates may not remove a condition of type {quote(kind)}")
    for kind in () if may_approve else APPROVAL:
        before, after = _of(old, kind), _of(new, kind)
        if len(after) > len(before):
            yield fields.forbidden(_CONDITIONS, f"updates may not add a condition of type {quote(kind)}")
        elif len(after) == len(before) and after != before:
            yield fields.forbidden(_CONDITIONS, f"updates may not modify a condition of type {quote(kind)}")
    issued = at(old, "status", "certificate") or ""
    if issued != (at(new, "status", "certificate") or ""):
        if not may_issue:
            yield fields.forbidden(_CERTIFICATE, "updates may not set certificate content")
        elif issued:
            yield fields.forbidden(_CERTIFICATE, "updates may not modify existing certificate content")


def _of(obj: Object, kind: str) -> list[Object]:
    return [condition for condition in at(obj, "status", "conditions") or () if condition.get("type") == kind]


def _usages(usages: Any) -> Errors:
    path = _SPEC.child("usages")
    if not usages:
        yield fields.required(path)
    for index, usage in enumerate(usages):
        if usage not in USAGES:
            yield fields.not_supported(path.index(index), usage, USAGES)
    for index, usage in enumerate(usages):
        if usage in usages[:index]:
            yield fields.duplicate(path.index(index), usage)


def _signer(signer: str) -> Errors:
    path = _SPEC.child("signerName")
    if not signer:
        yield fields.required(path)
        return
    if signer == "kubernetes.io/legacy-unknown":
        yield fields.invalid(path, signer, "the legacy signerName is not allowed via this API version")
    domain, slash, rest = signer.partition("/")
    if not slash or "/" in rest:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield fields.invalid(path, signer, text)
        return
    if len(domain) > _LONGEST_DOMAIN:
        yield fields.too_long(path, _LONGEST_DOMAIN)
    labels = domain.split(".")
    if len(labels) < 2:
        yield fields.invalid(path, domain, "should be a domain with at least two segments separated by dots")
    for index, label in enumerate(labels):
        for message in names.dns1123_label(label):
            yield fields.invalid(path, label, f"validating label {quote(label)} at index {index}: {message}")
    for message in names.dns1123_subdomain(rest):
        yield fields.invalid(path, rest, f"validating label {quote(rest)}: {message}")


def _conditions(conditions: Any) -> Errors:
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        path = _CONDITIONS.index(index)
        kind, status = condition.get("type") or "", condition.get("status") or ""
        if not kind:
            yield fields.required(path.child("type"))
        allowed = ("True",) if kind in _ONLY_TRUE else _STATUSES
        if not status:
            yield fields.required(path.child("status"))
        elif status not in allowed:
            yield fields.not_supported(path.child("status"), status, allowed)
        if kind in APPROVAL and seen & (set(APPROVAL) - {kind}):
            yield fields.invalid(_CONDITIONS, kind, "Approved and Denied conditions are mutually exclusive")
        if kind in seen:
            yield fields.duplicate(path.child("type"), kind)
        seen.add(kind)


def _request_problem(encoded: str) -> str:
    """Say what is wrong with the PKCS#10 request; its signature must be its own key's."""
    # imported here because few ever make requests, and the library is large
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    found = _PEM.search(_decoded(encoded))
    if found is None or found[1] != b"CERTIFICATE REQUEST":
        return "PEM block type must be CERTIFICATE REQUEST"
    try:
        parsed = x509.load_pem_x509_csr(found[0] + b"\n")
        sound = parsed.is_signature_valid
    except (ValueError, UnsupportedAlgorithm):
        return "x509: malformed certificate request"
    return "" if sound else "x509: signature of the certificate request is not valid"


def _certificate_problem(encoded: str) -> str:
    """Say what is wrong with an issued certificate chain; nothing where there is none."""
    data = _decoded(encoded)
    if not data:
        return ""
    from cryptography import x509

    blocks = list(_PEM.finditer(data))
    for block in blocks:
        if block[1] != b"CERTIFICATE":
            return f"only CERTIFICATE PEM blocks are allowed, found {quote(block[1].decode('utf-8', 'replace'))}"
        if b":" in block[2]:
            return "no PEM block headers are permitted"
        try:
            x509.load_pem_x509_certificate(block[0] + b"\n")
        except ValueError:
            return "x509: malformed certificate"
    return "" if blocks else "must contain at least one CERTIFICATE PEM block"


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return b""
