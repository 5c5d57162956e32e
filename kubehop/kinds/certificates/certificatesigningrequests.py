"""Certificate signing requests: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, NONE, age, at, documented, human_duration, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _status(obj: Object) -> str:
    kinds = {condition.get("type") for condition in at(obj, "status", "conditions") or ()}
    text = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    if "Failed" in kinds:
        text += ",Failed"
    if at(obj, "status", "certificate"):
        text += ",Issued"
    return text


def _cells(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    expiration = spec.get("expirationSeconds")
    return [
        name(obj),
        age(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username") or "",
        NONE if expiration is None else human_duration(expiration),
        _status(obj),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        AGE,
        documented("SignerName", "certificates.v1.CertificateSigningRequestSpec.signerName"),
        documented("Requestor", "certificates.v1.CertificateSigningRequestSpec.request"),
        documented("RequestedDuration", "certificates.v1.CertificateSigningRequestSpec.expirationSeconds"),
        documented("Condition", "certificates.v1.CertificateSigningRequestStatus.conditions"),
    ),
    cells=_cells,
)
