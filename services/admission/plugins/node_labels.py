"""Which labels a kubelet may give its node.

Used by `node_restriction`; source of the behaviour: k8s.io/kubelet/pkg/apis/well_known_labels.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_OF_KUBELETS: Final = frozenset(
    {
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "node.kubernetes.io/instance-type",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.kubernetes.io/zone",
        "failure-domain.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
    }
)
_NAMESPACES_OF_KUBELETS: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")
_RESTRICTED: Final = "node-restriction.kubernetes.io"


def forbidden_labels(new: Mapping[str, str], old: Mapping[str, str]) -> list[str]:
    """The labels among those that differ which a kubelet may not set, change or take away."""
    changed = {key for key in {*new, *old} if new.get(key) != old.get(key) or (key in new) != (key in old)}
    return sorted(key for key in changed if _is_forbidden(key))


def _is_forbidden(key: str) -> bool:
    namespace = key.partition("/")[0] if "/" in key else ""
    if _within(namespace, _RESTRICTED):
        return True
    of_kubernetes = _within(namespace, "kubernetes.io") or _within(namespace, "k8s.io")
    return of_kubernetes and not _is_of_kubelets(key, namespace)


def _is_of_kubelets(key: str, namespace: str) -> bool:
    return key in _OF_KUBELETS or any(_within(namespace, known) for known in _NAMESPACES_OF_KUBELETS)


def _within(namespace: str, domain: str) -> bool:
    return namespace == domain or namespace.endswith("." + domain)
