"""The certificates.k8s.io group: certificate signing requests."""

from __future__ import annotations

from kubehop.kinds.resource import Resource, Subresource, selectable, served, status

RESOURCES: tuple[Resource, ...] = (
    served(
        "certificates.k8s.io",
        "v1",
        "certificatesigningrequests",
        "CertificateSigningRequest",
        namespaced=False,
        home="certificates",
        short_names=("csr",),
        subresources=(Subresource("approval", "CertificateSigningRequest"), status("CertificateSigningRequest")),
        fields=(selectable("spec.signerName"),),
    ),
)
