"""Which plugins are built, and how each is made from what it needs of the cluster.

Called by `__main__` at start with the flags. A plugin that has a place in the order but is not built does not pretend:
asking for it by name is an error, and those that kube-apiserver has on by default are named for the start-up log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.admission import chain, configuration
from services.admission.cluster import Cluster
from services.admission.plugin import Plugin
from services.admission.plugins.always_admit import AlwaysAdmit
from services.admission.plugins.always_deny import AlwaysDeny
from services.admission.plugins.always_pull_images import AlwaysPullImages
from services.admission.plugins.certificate_approval import CertificateApproval
from services.admission.plugins.certificate_signing import CertificateSigning
from services.admission.plugins.certificate_subject_restriction import CertificateSubjectRestriction
from services.admission.plugins.default_ingress_class import DefaultIngressClass
from services.admission.plugins.default_storage_class import DefaultStorageClass
from services.admission.plugins.default_toleration_seconds import DefaultTolerationSeconds
from services.admission.plugins.deny_service_external_ips import DenyServiceExternalIPs
from services.admission.plugins.event_rate_limit import EventRateLimit
from services.admission.plugins.extended_resource_toleration import ExtendedResourceToleration
from services.admission.plugins.limit_pod_hard_anti_affinity_topology import LimitPodHardAntiAffinityTopology
from services.admission.plugins.limit_ranger import LimitRanger
from services.admission.plugins.namespace_auto_provision import NamespaceAutoProvision
from services.admission.plugins.namespace_exists import NamespaceExists
from services.admission.plugins.namespace_lifecycle import NamespaceLifecycle
from services.admission.plugins.node_restriction import NodeRestriction
from services.admission.plugins.owner_references_permission_enforcement import OwnerReferencesPermissionEnforcement
from services.admission.plugins.persistent_volume_claim_resize import PersistentVolumeClaimResize
from services.admission.plugins.pod_node_selector import PodNodeSelector
from services.admission.plugins.pod_security import PodSecurity
from services.admission.plugins.pod_toleration_restriction import PodTolerationRestriction
from services.admission.plugins.pod_topology_labels import PodTopologyLabels
from services.admission.plugins.priority import Priority
from services.admission.plugins.resource_quota import ResourceQuota
from services.admission.plugins.runtime_class import RuntimeClass
from services.admission.plugins.service_account import ServiceAccount
from services.admission.plugins.storage_object_in_use_protection import StorageObjectInUseProtection
from services.admission.plugins.taint_nodes_by_condition import TaintNodesByCondition
from services.admission.plugins.webhooks import MutatingAdmissionWebhook, ValidatingAdmissionWebhook
from services.admission.surroundings import Surroundings

Factory = Callable[[Surroundings], Plugin]


def _in(make: Callable[[Cluster], Plugin]) -> Factory:
    """The factory of a plugin that needs the cluster alone."""
    return lambda surroundings: make(surroundings.cluster)


def _pod_security(its: Surroundings) -> Plugin:
    part = its.configurations.get(PodSecurity.name)
    return PodSecurity(its.cluster) if part is None else PodSecurity(its.cluster, configuration.pod_security(part))


def _resource_quota(its: Surroundings) -> Plugin:
    part = its.configurations.get(ResourceQuota.name)
    return ResourceQuota(its.cluster, () if part is None else configuration.resource_quota(part))


def _event_rate_limit(its: Surroundings) -> Plugin:
    part = its.configurations.get(EventRateLimit.name)
    return EventRateLimit(() if part is None else configuration.event_rate_limit(part))


def _pod_toleration_restriction(its: Surroundings) -> Plugin:
    part = its.configurations.get(PodTolerationRestriction.name)
    default, allowed = ((), ()) if part is None else configuration.pod_tolerations(part)
    return PodTolerationRestriction(its.cluster, default, allowed)


FACTORIES: Final[Mapping[str, Factory]] = {
    "AlwaysAdmit": lambda _: AlwaysAdmit(),
    "NamespaceAutoProvision": _in(NamespaceAutoProvision),
    "NamespaceLifecycle": _in(NamespaceLifecycle),
    "NamespaceExists": _in(NamespaceExists),
    "LimitPodHardAntiAffinityTopology": lambda _: LimitPodHardAntiAffinityTopology(),
    "LimitRanger": _in(LimitRanger),
    "ServiceAccount": _in(ServiceAccount),
    "TaintNodesByCondition": lambda _: TaintNodesByCondition(),
    "AlwaysPullImages": lambda _: AlwaysPullImages(),
    "PodSecurity": _pod_security,
    "PodNodeSelector": _in(PodNodeSelector),
    "Priority": _in(Priority),
    "DefaultTolerationSeconds": lambda _: DefaultTolerationSeconds(),
    "PodTolerationRestriction": _pod_toleration_restriction,
    "EventRateLimit": _event_rate_limit,
    "NodeRestriction": _in(NodeRestriction),
    "ExtendedResourceToleration": lambda _: ExtendedResourceToleration(),
    "DefaultStorageClass": _in(DefaultStorageClass),
    "StorageObjectInUseProtection": lambda _: StorageObjectInUseProtection(),
    "OwnerReferencesPermissionEnforcement": lambda its: OwnerReferencesPermissionEnforcement(its.authorizer),
    "PersistentVolumeClaimResize": _in(PersistentVolumeClaimResize),
    "RuntimeClass": _in(RuntimeClass),
    "CertificateApproval": lambda its: CertificateApproval(its.authorizer),
    "CertificateSigning": lambda its: CertificateSigning(its.authorizer),
    "CertificateSubjectRestriction": lambda _: CertificateSubjectRestriction(),
    "DefaultIngressClass": _in(DefaultIngressClass),
    "DenyServiceExternalIPs": lambda _: DenyServiceExternalIPs(),
    "PodTopologyLabels": _in(PodTopologyLabels),
    "MutatingAdmissionWebhook": lambda its: MutatingAdmissionWebhook(its.cluster, its.caller),
    "ValidatingAdmissionWebhook": lambda its: ValidatingAdmissionWebhook(its.cluster, its.caller),
    "ResourceQuota": _resource_quota,
    "AlwaysDeny": lambda _: AlwaysDeny(),
}
"""How the plugins that are built are made."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The plugins that the flags ask for."""

    names: tuple[str, ...]
    """Those that will run, in order."""
    missing: tuple[str, ...]
    """Those on by default in kube-apiserver that are not built."""


class SelectionError(Exception):
    """The flags cannot be followed; `problems` has one line for each reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def select(enable: Sequence[str], disable: Sequence[str]) -> Selection:
    """The plugins for `--enable-admission-plugins` and `--disable-admission-plugins`. Raises SelectionError."""
    problems = chain.problems_of(enable, disable)
    problems += [
        f"enable-admission-plugins plugin {chain.quoted(name)} is not built into kubehop yet"
        for name in enable
        if name in chain.NAMES and name not in FACTORIES and name not in chain.GATED
    ]
    if problems:
        raise SelectionError(problems)
    enabled = chain.enabled_names(enable, disable)
    return Selection(
        names=tuple(name for name in enabled if name in FACTORIES),
        missing=tuple(name for name in enabled if name not in FACTORIES and name not in chain.GATED),
    )


def build(selection: Selection, surroundings: Surroundings) -> chain.Chain:
    """The chain of the selected plugins."""
    return chain.Chain([FACTORIES[name](surroundings) for name in selection.names])
