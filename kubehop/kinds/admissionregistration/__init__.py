"""The admissionregistration.k8s.io group: admission webhooks and policies."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import Resource, served, status

_GROUP = "admissionregistration.k8s.io"
_served = partial(served, _GROUP, "v1", home="admissionregistration", namespaced=False, categories=("api-extensions",))
# v1 of the mutating policies is new in v1.36: for one release they are stored as v1beta1, so that the release before
# can read them (pkg/kubeapiserver/default_storage_factory_builder.go)
_PREVIOUS = (_GROUP, "v1beta1")

RESOURCES: tuple[Resource, ...] = (
    _served("mutatingadmissionpolicies", "MutatingAdmissionPolicy", storage=_PREVIOUS),
    _served("mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", storage=_PREVIOUS),
    _served("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
    _served(
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        subresources=(status("ValidatingAdmissionPolicy"),),
    ),
    _served("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"),
    _served("validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
)
