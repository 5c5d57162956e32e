"""Plugins that ask the authorization stage, and those of tolerations: certificates, owners."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from services.admission.plugins.certificate_approval import CertificateApproval
from services.admission.plugins.certificate_signing import CertificateSigning
from services.admission.plugins.owner_references_permission_enforcement import OwnerReferencesPermissionEnforcement
from services.admission.plugins.pod_toleration_restriction import PodTolerationRestriction
from tests.services.admission.pods import pod, refusal
from tests.services.admission.requests import DictCluster, Judge, create, namespace, update

Object = dict[str, Any]
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "1"}


def request(status: Object | None = None) -> Object:
    """A certificate request of a signer."""
    return {"metadata": {"name": "r"}, "spec": {"signerName": "example.com/s"}, "status": status or {}}


def change(subresource: str, new: Object, old: Object) -> Any:
    return update("certificatesigningrequests", new, old, group="certificates.k8s.io", subresource=subresource)


@pytest.mark.parametrize("allowed", ["approve signers example.com/s", "approve signers example.com/*"])
async def test_approval_needs_the_right_of_the_signer(allowed: str) -> None:
    """By the name of the signer or for its whole domain; otherwise 403 in kube-apiserver's words."""
    asked = change("approval", request(), request())
    assert await refusal(CertificateApproval(Judge(allowed)).validate, asked) == ""
    assert await refusal(CertificateApproval(Judge()).validate, asked) == (
        'certificatesigningrequests.certificates.k8s.io "r" is forbidden: user not permitted to approve requests with'
        ' signerName "example.com/s"'
    )


async def test_signing_needs_the_right_where_something_is_signed() -> None:
    """A status that keeps certificate and conditions needs no right."""
    plugin = CertificateSigning(Judge())
    assert not await refusal(plugin.validate, change("status", request(), request()))
    signed = change("status", request({"certificate": "Zm9v"}), request())
    assert "not permitted to sign" in await refusal(plugin.validate, signed)
    assert not await refusal(CertificateSigning(Judge("sign signers example.com/s")).validate, signed)


def owned(**extra: Any) -> Object:
    return {"metadata": {"name": "c", "ownerReferences": [{**OWNER, **extra}]}}


async def test_owners_are_set_by_those_who_may_delete() -> None:
    """Setting an owner needs the right to delete the object; keeping it needs none."""
    plugin = OwnerReferencesPermissionEnforcement(Judge())
    said = await refusal(plugin.validate, create("configmaps", owned(), namespace="ns"))
    assert said == (
        'configmaps "c" is forbidden: cannot set an ownerRef on a resource you can\'t delete: no rule for alice, <nil>'
    )
    assert not await refusal(plugin.validate, update("configmaps", owned(), owned(), namespace="ns"))
    assert not await refusal(
        OwnerReferencesPermissionEnforcement(Judge("delete configmaps c")).validate,
        create("configmaps", owned(), namespace="ns"),
    )


async def test_holding_up_a_deletion_needs_the_right_to_finalize() -> None:
    """blockOwnerDeletion needs update of the owner's finalizers, and an owner of a kind that there is."""
    asked = create("configmaps", owned(blockOwnerDeletion=True), namespace="ns")
    judge = Judge("delete configmaps c")
    assert "you can't set finalizers on" in await refusal(OwnerReferencesPermissionEnforcement(judge).validate, asked)
    judge.allowed.add("update replicasets/finalizers web")
    assert not await refusal(OwnerReferencesPermissionEnforcement(judge).validate, asked)
    strange = create("configmaps", owned(blockOwnerDeletion=True, kind="Nope"), namespace="ns")
    assert "cannot find RESTMapping for APIVersion apps/v1 Kind Nope" in await refusal(
        OwnerReferencesPermissionEnforcement(judge).validate, strange
    )


async def test_tolerations_of_the_namespace() -> None:
    """A new pod gets those of its namespace, and may have no others than those that are allowed."""
    given = [{"key": "team", "operator": "Exists"}]
    home = namespace(
        "ns",
        annotations={
            "scheduler.alpha.kubernetes.io/defaultTolerations": orjson.dumps(given).decode(),
            "scheduler.alpha.kubernetes.io/tolerationsWhitelist": orjson.dumps(given).decode(),
        },
    )
    plugin = PodTolerationRestriction(DictCluster().hold("", "namespaces", home))
    asked = create("pods", pod(), namespace="ns")
    assert await plugin.admit(asked)
    assert asked.object["spec"]["tolerations"] == given
    other = create("pods", pod(tolerations=[{"key": "x", "operator": "Exists"}]), namespace="ns")
    assert "conflict with its namespace whitelist" in await refusal(plugin.admit, other)


async def test_tolerations_of_the_cluster_where_the_namespace_says_nothing() -> None:
    """The configuration stands in; a pod that asks for resources tolerates memory pressure besides."""
    given = [{"key": "team", "operator": "Exists"}]
    plugin = PodTolerationRestriction(DictCluster().hold("", "namespaces", namespace("ns")), default=given)
    container = {"name": "c", "resources": {"requests": {"cpu": "1"}}}
    asked = create("pods", pod(containers=[container]), namespace="ns")
    await plugin.admit(asked)
    assert [one["key"] for one in asked.object["spec"]["tolerations"]] == ["team", "node.kubernetes.io/memory-pressure"]
