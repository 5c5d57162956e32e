"""The servicer: outcomes of the chain as answers on the wire."""

from __future__ import annotations

import orjson

from kubehop.hop.calls import NO_CONTEXT, Call
from kubehop.pb.admission.v1 import (
    DECISION_ALLOWED,
    DECISION_DENIED,
    OPERATION_CREATE,
    MutateRequest,
    ValidateRequest,
)
from services.admission import registry
from services.admission.servicer import AdmissionServicer
from tests.services.admission.requests import DictCluster, message, namespace, surroundings


def servicer(*, enable=(), cluster=None):
    selection = registry.select(enable, [])
    return AdmissionServicer(registry.build(selection, surroundings(cluster or DictCluster())))


async def test_denial_carries_the_status():
    """Code, reason, message and details reach the gateway as kube-apiserver's Status has them."""
    request = MutateRequest(
        attributes=message(OPERATION_CREATE, "configmaps", namespace="none", obj={"metadata": {"name": "a"}})
    )
    call = Call(NO_CONTEXT, "unix")
    response = await servicer().mutate(request, call)
    assert response.decision == DECISION_DENIED
    assert response.denial.plugin == "NamespaceLifecycle"
    assert (response.denial.code, response.denial.reason) == (404, "NotFound")
    assert response.denial.message == 'namespaces "none" not found'
    assert orjson.loads(response.denial.details) == {"name": "none", "kind": "namespaces"}
    assert call.fields["verdict"] == "deny"


async def test_an_object_that_nobody_changes_is_not_sent_back():
    """The answer is empty but for the evidence of who looked."""
    cluster = DictCluster().hold("", "namespaces", namespace("n"))
    attributes = message(OPERATION_CREATE, "configmaps", namespace="n", obj={"metadata": {"name": "a"}})
    stage = servicer(cluster=cluster)
    mutated = await stage.mutate(MutateRequest(attributes=attributes), Call(NO_CONTEXT, "unix"))
    validated = await stage.validate(ValidateRequest(attributes=attributes), Call(NO_CONTEXT, "unix"))
    assert mutated.decision == validated.decision == DECISION_ALLOWED
    assert mutated.object == b""
    assert [result.name for result in mutated.plugins] == ["NamespaceLifecycle", "MutatingAdmissionWebhook"]
    assert all(not result.patch for result in mutated.plugins)
