"""Certificate signing requests: how they are printed, who made them, what each path may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import struct
from kubehop.kinds.printing import AGE, NAME, NONE, age, at, documented, human_duration, name
from kubehop.kinds.strategy import Strategy, Writer
from kubehop.machinery import names
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


_APPROVAL = ("Approved", "Denied")


class STRATEGY(Strategy):
    """Requests keep who made them, and their spec stays."""

    counts_generation = False

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Take what fits a URL."""
        return names.name_is_path_segment(name, prefix)

    def on_create_by(self, obj: Object, writer: Writer) -> None:
        """Write down who asks; what the client says of it does not count."""
        spec = struct(obj, "spec")
        for key in ("username", "uid", "groups", "extra"):
            spec.pop(key, None)
        if writer.username:
            spec["username"] = writer.username
        if writer.uid:
            spec["uid"] = writer.uid
        if writer.groups:
            spec["groups"] = list(writer.groups)
        if writer.extra:
            spec["extra"] = {key: list(values) for key, values in writer.extra.items()}

    def on_update(self, new: Object, old: Object) -> None:
        """Keep the spec."""
        new["spec"] = old.get("spec") or {}

    def on_status_update(self, new: Object, old: Object) -> None:
        """Keep the approval, which has a path of its own."""
        _set_conditions(new, _conditions(new, approval=False) + _conditions(old, approval=True))

    def on_subresource_update(self, new: Object, old: Object, subresource: str) -> None:
        """Let approval change the conditions of approval, and nothing else."""
        if subresource != "approval":
            return
        approval = _conditions(new, approval=True)
        new["spec"] = old.get("spec") or {}
        new["status"] = dict(old.get("status") or {})
        _set_conditions(new, _conditions(old, approval=False) + approval)


def _conditions(obj: Object, *, approval: bool) -> list[Object]:
    found = at(obj, "status", "conditions") or ()
    return [condition for condition in found if (condition.get("type") in _APPROVAL) == approval]


def _set_conditions(obj: Object, conditions: list[Object]) -> None:
    if conditions:
        struct(obj, "status")["conditions"] = conditions
    else:
        struct(obj, "status").pop("conditions", None)
