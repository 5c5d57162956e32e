"""What is wrong with a service, new or changed, and what to tell of it all the same.

Called by the strategy of `services`, and by the gateway's allocation of addresses, which holds the addresses against
`cluster_ips` before it takes any. Facts: pkg/apis/core/validation/validation.go (ValidateService and what it calls) and
pkg/api/service/warnings.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubehop.kinds import validation_addresses as addresses
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import label, labels, one_of, port, port_or_name, qualified, subdomain
from kubehop.machinery import fields, gotext
from kubehop.machinery.fields import Literal, Path

Object = dict[str, Any]

NONE = "None"
SPEC = Path("spec")
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_FAMILIES = ("IPv4", "IPv6")
_FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
_AFFINITY_SECONDS = 86400
_KUBELET_PORT = 10250
_RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
_HINTS_ANNOTATION = "service.kubernetes.io/topology-aware-hints"
_BALANCED_ONLY = "may only be used when `type` is 'LoadBalancer'"
_ONCE = "may not change once set"


def kind_of(obj: Object) -> str:
    """Return the type of a service."""
    return str((obj.get("spec") or {}).get("type") or "")


def headless(obj: Object) -> bool:
    """Tell whether a service has no address on purpose."""
    return (obj.get("spec") or {}).get("clusterIPs") == [NONE]


def needs_health_check(obj: Object) -> bool:
    """Tell whether the nodes answer for a service's health on a port of its own."""
    spec = obj.get("spec") or {}
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def service(obj: Object) -> Errors:
    """Check a service (ValidateService)."""
    spec = obj.get("spec") or {}
    if not spec.get("ports") and not headless(obj) and spec.get("type") != "ExternalName":
        yield fields.required(SPEC.child("ports"))
    yield from _of_type(obj, spec)
    yield from _ports(spec)
    yield from labels(SPEC.child("selector"), spec.get("selector"))
    yield from _affinity(spec)
    yield from cluster_ips(obj)
    for index, text in enumerate(spec.get("externalIPs") or ()):
        at = SPEC.child("externalIPs").index(index)
        wrong = list(addresses.ip(at, text))
        yield from wrong or addresses.not_special(at, text)
    yield from one_of(SPEC.child("type"), spec.get("type"), _TYPES)
    yield from _node_ports(spec)
    yield from _repeated_ports(spec)
    yield from _source_ranges(obj, spec)
    yield from _balancer(spec)
    yield from _traffic(obj, spec)


def _of_type(obj: Object, spec: Object) -> Errors:
    kind = spec.get("type")
    if kind == "LoadBalancer":
        for index, one in enumerate(spec.get("ports") or ()):
            if one.get("port") == _KUBELET_PORT:
                text = f"may not expose port {_KUBELET_PORT} externally since it is used by kubelet"
                yield fields.invalid(SPEC.child("ports").index(index), _KUBELET_PORT, text)
    if kind in ("LoadBalancer", "NodePort") and headless(obj):
        text = f"may not be set to 'None' for {kind} services"
        yield fields.invalid(SPEC.child("clusterIPs").index(0), NONE, text)
    if kind != "ExternalName":
        return
    for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(field):
            yield fields.forbidden(SPEC.child(field), "may not be set for ExternalName services")
    name = (spec.get("externalName") or "").removesuffix(".")
    if name:
        yield from subdomain(SPEC.child("externalName"), name)
    else:
        yield fields.required(SPEC.child("externalName"))


def _ports(spec: Object) -> Errors:
    ports = spec.get("ports") or ()
    seen: set[str] = set()
    for index, one in enumerate(ports):
        at = SPEC.child("ports").index(index)
        name = one.get("name") or ""
        if name:
            yield from label(at.child("name"), name)
            if name in seen:
                yield fields.duplicate(at.child("name"), name)
            seen.add(name)
        elif len(ports) > 1:
            yield fields.required(at.child("name"))
        yield from port(at.child("port"), one.get("port"))
        yield from one_of(at.child("protocol"), one.get("protocol"), ("SCTP", "TCP", "UDP"))
        yield from port_or_name(at.child("targetPort"), one.get("targetPort"))
        if one.get("appProtocol") is not None:
            yield from qualified(at.child("appProtocol"), one["appProtocol"])


def _affinity(spec: Object) -> Errors:
    affinity, config = spec.get("sessionAffinity") or "", spec.get("sessionAffinityConfig")
    at = SPEC.child("sessionAffinityConfig")
    if not affinity:
        yield fields.required(SPEC.child("sessionAffinity"))
    else:
        yield from one_of(SPEC.child("sessionAffinity"), affinity, ("ClientIP", "None"))
    if affinity == "ClientIP":
        client = (config or {}).get("clientIP")
        seconds = (client or {}).get("timeoutSeconds")
        if seconds is None:
            missing = at if config is None else at.child("clientIP")
            yield fields.required(missing, "when session affinity type is ClientIP")
        elif not 0 < seconds <= _AFFINITY_SECONDS:
            text = f"must be greater than 0 and less than {_AFFINITY_SECONDS}"
            yield fields.invalid(at.child("clientIP", "timeoutSeconds"), seconds, text)
    elif affinity == "None" and config is not None:
        yield fields.forbidden(at, "must not be set when session affinity is None")


def cluster_ips(obj: Object) -> Errors:
    """Check the addresses against each other and the families (ValidateServiceClusterIPsRelatedFields)."""
    spec = obj.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return
    at = SPEC.child("clusterIPs")
    first, found = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if first and not found:
        yield fields.required(at)
    elif first and found[0] != first:
        yield fields.invalid(at, found, "first value must match `clusterIP`")
    elif not first and found:
        yield fields.invalid(at, found, "must be empty when `clusterIP` is not specified")
    yield from _families(spec)
    wrong = list(_cluster_ip_values(found))
    yield from wrong
    if len(found) > 2:
        yield fields.invalid(at, found, "may only hold up to 2 values")
    if wrong:
        return
    if len(found) > 1 and len({addresses.family(text) for text in found}) < len(found):
        yield fields.invalid(at, found, "may specify no more than one IP for each IP family")
    if not headless(obj):
        for index, (text, wanted) in enumerate(zip(found, spec.get("ipFamilies") or (), strict=False)):
            if wanted in _FAMILIES and addresses.family(text) != wanted:
                message = f"expected an {wanted} value as indicated by `ipFamilies[{index}]`"
                yield fields.invalid(at.index(index), text, message)


def _cluster_ip_values(found: list[str]) -> Errors:
    at = SPEC.child("clusterIPs")
    for index, text in enumerate(found):
        if index == 0 and text == NONE:
            if len(found) > 1:
                yield fields.invalid(at, found, "'None' must be the first and only value")
        else:
            yield from addresses.ip(at.index(index), text)


def _families(spec: Object) -> Errors:
    seen: set[str] = set()
    for index, family in enumerate(spec.get("ipFamilies") or ()):
        at = SPEC.child("ipFamilies").index(index)
        yield from one_of(at, family, _FAMILIES)
        if family in seen:
            yield fields.duplicate(at, family)
        seen.add(family)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None:
        yield from one_of(SPEC.child("ipFamilyPolicy"), policy, _FAMILY_POLICIES)


def _node_ports(spec: Object) -> Errors:
    ports = spec.get("ports") or ()
    if spec.get("type") == "ClusterIP":
        for index, one in enumerate(ports):
            if one.get("nodePort"):
                at = SPEC.child("ports").index(index).child("nodePort")
                yield fields.forbidden(at, "may not be used when `type` is 'ClusterIP'")
    seen: set[tuple[Any, Any]] = set()
    for index, one in enumerate(ports):
        key = one.get("protocol"), one.get("nodePort")
        if one.get("nodePort") and key in seen:
            yield fields.duplicate(SPEC.child("ports").index(index).child("nodePort"), one["nodePort"])
        seen.add(key)


def _repeated_ports(spec: Object) -> Errors:
    seen: set[tuple[Any, Any]] = set()
    for index, one in enumerate(spec.get("ports") or ()):
        key = one.get("protocol") or "", one.get("port") or 0
        if key in seen:
            # kube-apiserver prints its own struct, with the fields that it compared
            shown = (
                f'{{"Name":"","Protocol":{gotext.quote(key[0])},"AppProtocol":null,"Port":{key[1]},'
                '"TargetPort":0,"NodePort":0}'
            )
            yield fields.duplicate(SPEC.child("ports").index(index), Literal(shown))
        seen.add(key)


def _source_ranges(obj: Object, spec: Object) -> Errors:
    balanced = spec.get("type") == "LoadBalancer"
    annotation = ((obj.get("metadata") or {}).get("annotations") or {}).get(_RANGES_ANNOTATION)
    if spec.get("loadBalancerSourceRanges"):
        at = SPEC.child("LoadBalancerSourceRanges")  # written so by kube-apiserver
        if not balanced:
            yield fields.forbidden(at, _BALANCED_ONLY)
        for index, text in enumerate(spec["loadBalancerSourceRanges"]):
            yield from addresses.cidr(at.index(index), text.strip())
    elif annotation is not None:
        at = Path("metadata", "annotations").key(_RANGES_ANNOTATION)
        if not balanced:
            yield fields.forbidden(at, _BALANCED_ONLY)
        if annotation.strip():
            for text in annotation.strip().split(","):
                yield from addresses.cidr(at, text.strip())


def _balancer(spec: Object) -> Errors:
    balanced, allocates = spec.get("type") == "LoadBalancer", spec.get("allocateLoadBalancerNodePorts")
    if allocates is not None and not balanced:
        yield fields.forbidden(SPEC.child("allocateLoadBalancerNodePorts"), _BALANCED_ONLY)
    if balanced and allocates is None:
        yield fields.required(Path("allocateLoadBalancerNodePorts"))
    yield from _balancer_class(spec)


def _balancer_class(spec: Object) -> Errors:
    found, at = spec.get("loadBalancerClass"), SPEC.child("loadBalancerClass")
    if found is None:
        return
    if spec.get("type") == "LoadBalancer":
        yield from qualified(at, found)
    else:
        yield fields.forbidden(at, _BALANCED_ONLY)


def _traffic(obj: Object, spec: Object) -> Errors:
    kind = spec.get("type")
    external, internal = spec.get("externalTrafficPolicy") or "", spec.get("internalTrafficPolicy")
    at = SPEC.child("externalTrafficPolicy")
    if kind not in ("LoadBalancer", "NodePort") and not (kind == "ClusterIP" and spec.get("externalIPs")):
        if external:
            yield fields.invalid(at, external, "may only be set for externally-accessible services")
    elif not external:
        yield fields.required(at)
    else:
        yield from one_of(at, external, ("Cluster", "Local"))
    at, number = SPEC.child("healthCheckNodePort"), spec.get("healthCheckNodePort") or 0
    if needs_health_check(obj):
        if number:
            yield from port(at, number)
        else:
            yield fields.required(at)
    elif number:
        text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield fields.invalid(at, number, text)
    at = SPEC.child("internalTrafficPolicy")
    if internal is None:
        if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
            yield fields.required(at)
    else:
        yield from one_of(at, internal, ("Cluster", "Local"))
    if spec.get("trafficDistribution") is not None:
        yield from one_of(SPEC.child("trafficDistribution"), spec["trafficDistribution"], _DISTRIBUTIONS)


def changes(new: Object, old: Object) -> Errors:
    """Check what may change (ValidateServiceUpdate): addresses and families stay, but for a second one."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    if "ExternalName" not in (after.get("type"), before.get("type")):
        yield from _changed_ips(new, old)
        yield from _changed_families(new, old)
    if after.get("type") == before.get("type") == "LoadBalancer":
        found = after.get("loadBalancerClass")
        if found != before.get("loadBalancerClass"):
            yield fields.invalid(SPEC.child("loadBalancerClass"), found, _ONCE)
    yield from _balancer_class(after)
    checked = needs_health_check(new) and needs_health_check(old)
    if checked and after.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
        yield fields.forbidden(SPEC.child("healthCheckNodePort"), "field is immutable")


def _changed_ips(new: Object, old: Object) -> Errors:
    if headless(new) and headless(old):
        return
    after, before = _list(new, "clusterIPs"), _list(old, "clusterIPs")
    at = SPEC.child("clusterIPs")
    if len(after) == len(before):
        for index, text in enumerate(before):
            if after[index] != text:
                yield fields.invalid(at.index(index), after, _ONCE)
        return
    if not after:
        yield fields.invalid(at.index(0), after or None, "primary clusterIP can not be unset")
    elif before and after[0] != before[0]:
        yield fields.invalid(at.index(0), after, _ONCE)
    if len(before) > len(after) == 1:
        yield from _released(new, "clusterIP")


def _changed_families(new: Object, old: Object) -> Errors:
    if headless(new) or headless(old):
        return
    after, before = _list(new, "ipFamilies"), _list(old, "ipFamilies")
    at = SPEC.child("ipFamilies").index(0)
    if len(after) == len(before):
        for one, other in zip(after, before, strict=True):
            if one != other:
                yield fields.invalid(at, after, _ONCE)
        return
    if len(before) > len(after) and not _list(new, "clusterIPs"):
        yield fields.invalid(at, after or None, "primary ipFamily can not be unset")
    if after and before and after[0] != before[0]:
        yield fields.invalid(at, _list(new, "clusterIPs") or None, _ONCE)
    if len(before) > len(after) == 1:
        yield from _released(new, "ipFamily")


def _released(new: Object, what: str) -> Errors:
    policy = (new.get("spec") or {}).get("ipFamilyPolicy")
    if policy != "SingleStack":
        text = f"must be set to 'SingleStack' when releasing the secondary {what}"
        yield fields.invalid(SPEC.child("ipFamilyPolicy"), policy, text)


def _list(obj: Object, field: str) -> list[str]:
    return (obj.get("spec") or {}).get(field) or []


def status(new: Object, old: Object) -> Errors:
    """Check what a balancer says (ValidateLoadBalancerStatus)."""
    at = Path("status", "loadBalancer", "ingress")
    found = _ingresses(new)
    if found and kind_of(new) != "LoadBalancer":
        yield fields.forbidden(at, 'may only be used when `spec.type` is "LoadBalancer"')
        return
    kept = {ingress.get("ip") or "" for ingress in _ingresses(old)}
    for index, ingress in enumerate(found):
        yield from balanced_address(at.index(index), ingress, kept, with_mode=True)


def _ingresses(obj: Object) -> list[Object]:
    return ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []


def balanced_address(at: Path, ingress: Object, kept: set[str], *, with_mode: bool = False) -> Errors:
    """Check one address or name of a balancer, of a service or an ingress."""
    address, name, mode = ingress.get("ip") or "", ingress.get("hostname") or "", ingress.get("ipMode")
    if address:
        yield from addresses.ip(at.child("ip"), address, kept)
    if with_mode:
        if address and mode is None:
            yield fields.required(at.child("ipMode"), "must be specified when `ip` is set")
        elif mode is not None and not address:
            yield fields.forbidden(at.child("ipMode"), "may not be specified when `ip` is not set")
        elif mode is not None:
            yield from one_of(at.child("ipMode"), mode, ("Proxy", "VIP"))
    if name:
        yield from subdomain(at.child("hostname"), name)
        if addresses.parse_address(name) is not None:
            yield fields.invalid(at.child("hostname"), name, "must be a DNS name, not an IP address")


def warnings(obj: Object) -> Iterator[str]:
    """Yield what to tell of a service that is valid (GetWarningsForService)."""
    spec = obj.get("spec") or {}
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    external, external_name = spec.get("externalIPs") or [], spec.get("type") == "ExternalName"
    balancer_ip = spec.get("loadBalancerIP") or ""
    none = spec.get("type") == "ClusterIP" and spec.get("clusterIP") == NONE
    if _HINTS_ANNOTATION in annotations:
        yield f"annotation {_HINTS_ANNOTATION} is deprecated, please use service.kubernetes.io/topology-mode instead"
    for index, text in enumerate(() if none or external_name else spec.get("clusterIPs") or ()):
        yield from addresses.ip_warnings(SPEC.child("clusterIPs").index(index), text)
    if none and balancer_ip:
        yield "spec.loadBalancerIP is ignored for headless services"
    if none and external:
        yield "spec.externalIPs is ignored for headless services"
    if none and spec.get("sessionAffinity") != "None":
        yield "spec.SessionAffinity is ignored for headless services"
    for index, text in enumerate(external):
        yield from addresses.ip_warnings(SPEC.child("externalIPs").index(index), text)
    if external and not none and not external_name:
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    if balancer_ip:
        yield from addresses.ip_warnings(SPEC.child("loadBalancerIP"), balancer_ip)
    for index, text in enumerate(spec.get("loadBalancerSourceRanges") or ()):
        yield from addresses.cidr_warnings(SPEC.child("loadBalancerSourceRanges").index(index), text)
    if external_name and external:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if not external_name and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'
