"""IP families of a service: filled in from what the client says and what the cluster has, or refused.

Called before addresses are allocated, on dry runs too. Facts: pkg/registry/core/service/storage/alloc.go
(initIPFamilyFields).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubehop.kinds.core import service_rules
from kubehop.kinds.core.service_rules import NONE, SPEC
from kubehop.kinds.validation_addresses import family
from kubehop.machinery import fields, status
from kubehop.machinery.fields import FieldError
from kubehop.machinery.objects import Object, name, nested

_OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}


def fill(service: Object, old: Object | None, configured: Sequence[str]) -> None:
    """Fill in ipFamilies and ipFamilyPolicy; `configured` begins with the default family. Changes the service.

    Raises 422 where the families, the policy and the addresses do not go together or the cluster does not have them.
    """
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return
    if old is not None:
        _adjust(spec, old.get("spec") or {})
    _refuse(service, service_rules.cluster_ips(service))
    _refuse(service, _against_policy(spec))
    _refuse(service, _infer(spec, configured))
    if spec.get("clusterIPs") == [NONE] and not spec.get("selector"):
        # whoever makes the endpoints decides, whatever families the cluster has
        spec.setdefault("ipFamilyPolicy", "RequireDualStack")
        families = spec.get("ipFamilies") or [configured[0]]
        if len(families) == 1 and spec["ipFamilyPolicy"] != "SingleStack":
            families = [*families, _OTHER[families[0]]]
        spec["ipFamilies"] = families
        return
    _refuse(service, _not_configured(spec, configured))
    families = spec.get("ipFamilies") or [configured[0]]
    if spec.get("ipFamilyPolicy") is None:
        two = len(families) > 1 or len(spec.get("clusterIPs") or ()) > 1
        spec["ipFamilyPolicy"] = "RequireDualStack" if two else "SingleStack"
    if len(families) == 1 and spec["ipFamilyPolicy"] != "SingleStack" and len(configured) > 1:
        families = [*families, _OTHER[families[0]]]
    spec["ipFamilies"] = families


def _adjust(spec: Object, before: Object) -> None:
    """Let a client change the number of families by changing the policy alone."""
    if spec.get("ipFamilyPolicy") == before.get("ipFamilyPolicy") or spec.get("ipFamilyPolicy") != "SingleStack":
        return
    for field in ("clusterIPs", "ipFamilies"):
        if len(spec.get(field) or ()) > 1 and spec.get(field) == before.get(field):
            spec[field] = spec[field][:1]


def _against_policy(spec: Object) -> Iterator[FieldError]:
    if spec.get("ipFamilyPolicy") != "SingleStack":
        return
    at = SPEC.child("ipFamilyPolicy")
    for field in ("ipFamilies", "clusterIPs"):
        if len(spec.get(field) or ()) > 1:
            text = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {field} are specified"
            yield fields.invalid(at, "SingleStack", text)


def _infer(spec: Object, configured: Sequence[str]) -> Iterator[FieldError]:
    families = list(spec.get("ipFamilies") or ())
    addresses = spec.get("clusterIPs") or []
    for index, text in enumerate(addresses):
        if text == NONE:
            break
        if index < len(families):
            continue
        found = family(text)
        if found in configured:
            families.append(found)
        else:
            yield fields.invalid(
                SPEC.child("clusterIPs").index(index), addresses, f"{found} is not configured on this cluster"
            )
    if families:
        spec["ipFamilies"] = families


def _not_configured(spec: Object, configured: Sequence[str]) -> Iterator[FieldError]:
    if spec.get("ipFamilyPolicy") == "RequireDualStack" and len(configured) < 2:
        text = "this cluster is not configured for dual-stack services"
        yield fields.invalid(SPEC.child("ipFamilyPolicy"), "RequireDualStack", text)
    for index, one in enumerate(spec.get("ipFamilies") or ()):
        if one not in configured:
            yield fields.invalid(SPEC.child("ipFamilies").index(index), one, "not configured on this cluster")


def _refuse(service: Object, errors: Iterator[FieldError]) -> None:
    found = list(errors)
    if found:
        raise status.invalid("", "Service", name(service), found)


def wanted(service: Object) -> dict[str, str]:
    """Return the families of which a service has addresses, each with the address that it states or ""."""
    if nested(service, "spec", "type") == "ExternalName" or nested(service, "spec", "clusterIP") == NONE:
        return {}
    stated = nested(service, "spec", "clusterIPs") or []
    families: list[str] = nested(service, "spec", "ipFamilies") or []
    return {one: stated[index] if index < len(stated) else "" for index, one in enumerate(families)}
