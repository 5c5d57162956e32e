"""CertificateSubjectRestriction: nobody becomes an administrator by a certificate request.

Source of the behaviour: plugin/pkg/admission/certificates/subjectrestriction/admission.go.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from services.admission.attributes import CREATE, Attributes
from services.admission.plugin import Scoped, forbidden

CLIENT_SIGNER: Final = "kubernetes.io/kube-apiserver-client"
MASTERS: Final = "system:masters"


class CertificateSubjectRestriction(Scoped):
    """See the module."""

    name: Final = "CertificateSubjectRestriction"
    operations = frozenset({CREATE})
    places = frozenset({("certificates.k8s.io", "certificatesigningrequests", "")})

    async def validate(self, attributes: Attributes) -> None:
        """Refuse client certificates of the group system:masters."""
        spec = attributes.object.get("spec") or {}
        if spec.get("signerName") != CLIENT_SIGNER:
            return
        try:
            organizations = _organizations(spec.get("request") or "")
        except ValueError as error:
            raise forbidden(attributes, f"failed to parse CSR: {error}") from error
        if MASTERS in organizations:
            raise forbidden(attributes, f"use of {CLIENT_SIGNER} signer with {MASTERS} group is not allowed")


def _organizations(request: str) -> list[str]:
    """The organizations in the subject of a certificate request, base64 of PEM. ValueError where it is none."""
    from cryptography import x509

    try:
        pem = base64.b64decode(request, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if b"-----BEGIN CERTIFICATE REQUEST-----" not in pem:
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    subject = x509.load_pem_x509_csr(pem).subject
    return [str(part.value) for part in subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)]
