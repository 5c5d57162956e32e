"""Certificate signing requests: how they are printed, who made them, what each path may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.certificates import requests
from kubehop.kinds.certificates.requests import APPROVAL
from kubehop.kinds.defaulting import struct
from kubehop.kinds.printing import AGE, NAME, NONE, age, at, documented, human_duration, name
from kubehop.kinds.strategy import NEW_THEN_CHANGES, Strategy, Writer
from kubehop.kinds.validation import Errors
from kubehop.machinery import names, timestamps
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


class STRATEGY(Strategy):
    """Requests keep who made them, and their spec stays."""

    counts_generation = False
    update_steps = NEW_THEN_CHANGES
    # kube-apiserver's schema calls the request's bytes a list, so that tracking owners fails for every object
    tracks_owners = False

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
        for kind in APPROVAL:
            _keep_conditions(new, old, kind)
        _date_conditions(new, old)

    def on_subresource_update(self, new: Object, old: Object, subresource: str) -> None:
        """Let approval change the conditions, and nothing else."""
        if subresource != "approval":
            return
        _date_conditions(new, old)
        conditions = list(at(new, "status", "conditions") or ())
        new["spec"] = old.get("spec") or {}
        new["status"] = {**(old.get("status") or {}), "conditions": conditions}
        if not conditions:
            del new["status"]["conditions"]

    def check(self, obj: Object) -> Errors:
        """Check the request."""
        return requests.check(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep approval and certificate."""
        return requests.check_update(new, old)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check what the path may change: approval the conditions, status the certificate."""
        yield from requests.check(new)
        yield from requests.check_update(
            new, old, may_approve=subresource == "approval", may_issue=subresource == "status"
        )


def _keep_conditions(new: Object, old: Object, kind: str) -> None:
    """Take the old conditions of a type where there are as many new ones. Changes the new object."""
    before = [condition for condition in at(old, "status", "conditions") or () if condition.get("type") == kind]
    conditions = at(new, "status", "conditions") or []
    places = [index for index, condition in enumerate(conditions) if condition.get("type") == kind]
    if len(places) == len(before):
        for index, condition in zip(places, before, strict=True):
            conditions[index] = condition


def _date_conditions(new: Object, old: Object) -> None:
    """Fill in when conditions were written and when they last changed. Changes the new object."""
    now = timestamps.now()
    for condition in at(new, "status", "conditions") or ():
        if not condition.get("lastUpdateTime"):
            condition["lastUpdateTime"] = now
        if not condition.get("lastTransitionTime"):
            same = (
                known.get("lastTransitionTime")
                for known in at(old, "status", "conditions") or ()
                if (known.get("type"), known.get("status")) == (condition.get("type"), condition.get("status"))
            )
            condition["lastTransitionTime"] = next((moment for moment in same if moment), now)
