"""What kinds refuse, in kube-apiserver's words: one row per rule, through the strategy of the kind."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kubehop.kinds import catalogue
from kubehop.kinds.strategy import Strategy, strategy_for

Object = dict[str, Any]


def strategy(group: str, resource: str) -> Strategy:
    """The strategy of a stored resource."""
    row = catalogue.storage_resource(group, resource)
    assert row is not None
    return strategy_for(row)


def created(group: str, resource: str, body: Object) -> list[str]:
    """What is wrong with a new object."""
    made = strategy(group, resource)
    meta: Object = {"name": "x", **({"namespace": "n"} if made.resource.namespaced else {})}
    obj: Object = {**copy.deepcopy(body), "metadata": {**meta, **body.get("metadata", {})}}
    made.default(obj)
    made.prepare_for_create(obj)
    return [str(error) for error in made.validate(obj)]


def changed(group: str, resource: str, before: Object, after: Object) -> list[str]:
    """What is wrong with a change."""
    made = strategy(group, resource)
    meta: Object = {"name": "x", "uid": "u", "resourceVersion": "1"}
    if made.resource.namespaced:
        meta["namespace"] = "n"
    old: Object = {**copy.deepcopy(before), "metadata": dict(meta)}
    new: Object = {**copy.deepcopy(after), "metadata": dict(meta)}
    made.default(old)
    made.default(new)
    made.prepare_for_update(new, old)
    return [str(error) for error in made.validate_update(new, old)]


PORTS = [{"port": 80}]
NETWORKING, STORAGE = "networking.k8s.io", "storage.k8s.io"
CLAIM: Object = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}}


@pytest.mark.parametrize(
    ("group", "resource", "body", "expected"),
    [
        ("", "services", {"spec": {}}, "spec.ports: Required value"),
        (
            "",
            "services",
            {"spec": {"ports": PORTS, "externalIPs": ["169.254.1.1"]}},
            ('spec.externalIPs[0]: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, '
            "fe80::/10)"),
        ),
        (
            "",
            "services",
            {"spec": {"ports": PORTS, "clusterIP": "010.96.0.1"}},
            'spec.clusterIPs[0]: Invalid value: "010.96.0.1": must not have leading 0s',
        ),
        (
            "",
            "services",
            {"spec": {"type": "LoadBalancer", "ports": [{"port": 10250}]}},
            "spec.ports[0]: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet",
        ),
        (
            "",
            "endpoints",
            {"subsets": [{"addresses": [{"ip": "0.0.0.0"}]}]},
            'subsets[0].addresses[0].ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
        ),
        (
            NETWORKING,
            "ingresses",
            {"spec": {"defaultBackend": {"service": {"name": "a", "port": {"name": "b", "number": 1}}}}},
            'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
        ),
        (NETWORKING, "servicecidrs", {"spec": {}}, "spec.cidrs: Required value: at least one CIDR required"),
        (
            NETWORKING,
            "servicecidrs",
            {"spec": {"cidrs": ["10.0.0.1/24"]}},
            'spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length',
        ),
        (
            NETWORKING,
            "ipaddresses",
            {"metadata": {"name": "10.0.0.1"}, "spec": {"parentRef": {"resource": "services"}}},
            "spec.parentRef.name: Required value",
        ),
        (
            NETWORKING,
            "networkpolicies",
            {"spec": {"podSelector": {}, "egress": [{"to": [{}]}]}},
            "spec.egress[0].to[0]: Required value: must specify a peer",
        ),
        ("", "persistentvolumeclaims", {"spec": {**CLAIM["spec"], "volumeMode": "Raw"}},
         'spec.volumeMode: Unsupported value: "Raw": supported values: "Block", "Filesystem"'),
        (
            "",
            "persistentvolumes",
            {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "local": {"path": "/x"}}},
            "spec.nodeAffinity: Required value: Local volume requires node affinity",
        ),
        (STORAGE, "volumeattributesclasses", {"driverName": "d"},
         "parameters: Required value: must contain at least one key/value pair"),
        (STORAGE, "csinodes", {"spec": {"drivers": [{"name": "d"}]}}, "spec.drivers[0].nodeID: Required value"),
        ("", "nodes", {"spec": {"podCIDR": "10.0.0.0/8", "podCIDRs": ["10.0.0.0/8", "11.0.0.0/8"]}},
         ('spec.podCIDRs: Invalid value: ["10.0.0.0/8","11.0.0.0/8"]: may specify no more than one CIDR for each IP '
         "family")),
        ("", "resourcequotas", {"spec": {"hard": {"pods": "1500m"}}},
         'spec.hard[pods]: Invalid value: "1500m": must be an integer'),
        ("", "limitranges", {"spec": {"limits": [{"type": "Node"}]}},
         'spec.limits[0].type: Invalid value: "Node": must be a standard limit type or fully qualified'),
        ("", "events", {"involvedObject": {"namespace": "other"}},
         'involvedObject.namespace: Invalid value: "other": does not match event.namespace'),
        ("", "configmaps", {"metadata": {"finalizers": ["bare"]}},
         ('metadata.finalizers[0]: Invalid value: "bare": name is neither a standard finalizer name nor is it fully '
         "qualified")),
        ("scheduling.k8s.io", "priorityclasses", {"value": 1_000_000_001},
         "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"),
        ("coordination.k8s.io", "leases", {"spec": {"leaseDurationSeconds": 0}},
         "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"),
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations",
         {"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {"handSize": 65}}}}},
         "spec.limited.limitResponse.queuing.handSize: Invalid value: 65: should not be greater than queues (64)"),
        ("admissionregistration.k8s.io", "validatingadmissionpolicybindings",
         {"spec": {"policyName": "p", "validationActions": ["Audit", "Audit"]}},
         'spec.validationActions[1]: Duplicate value: "Audit"'),
    ],
)  # fmt: skip
def test_a_new_object_is_refused(group: str, resource: str, body: Object, expected: str):
    """The one thing that is wrong is named in the words of kube-apiserver."""
    assert created(group, resource, body) == [expected]


SERVICE: Object = {
    "spec": {
        "type": "ClusterIP", "clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack", "ports": PORTS,
    }
}  # fmt: skip


@pytest.mark.parametrize(
    ("group", "resource", "before", "after", "expected"),
    [
        ("", "services", SERVICE,
         {"spec": {**SERVICE["spec"], "clusterIP": "10.96.0.8", "clusterIPs": ["10.96.0.8"]}},
         ['spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set']),
        (NETWORKING, "servicecidrs", {"spec": {"cidrs": ["10.0.0.0/24"]}}, {"spec": {"cidrs": ["10.1.0.0/24"]}},
         ['spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable']),
        (STORAGE, "volumeattributesclasses", {"driverName": "d", "parameters": {"a": "b"}},
         {"driverName": "e", "parameters": {"a": "b"}}, ['driverName: Invalid value: "e": field is immutable']),
        ("", "persistentvolumeclaims", CLAIM,
         {"spec": {**CLAIM["spec"], "accessModes": ["ReadWriteMany"]}},
         [("spec: Forbidden: spec is immutable after creation except resources.requests and "
          "volumeAttributesClassName for bound claims")]),
        ("", "nodes", {"spec": {"providerID": "a"}}, {"spec": {"providerID": "b"}},
         ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid']),
        ("", "resourcequotas", {"spec": {"scopes": ["BestEffort"]}}, {"spec": {}},
         ["spec.scopes: Invalid value: null: field is immutable"]),
    ],
)  # fmt: skip
def test_a_change_is_refused(group: str, resource: str, before: Object, after: Object, expected: list[str]):
    """What may not change is named in the words of kube-apiserver."""
    assert changed(group, resource, before, after) == expected


def test_wrong_metadata_is_told_by_everybody_who_checks_it():
    """On an update the checks that all kinds share and the kind's own both complain, as clients know it."""
    made = strategy("", "configmaps")
    meta: Object = {"name": "x", "namespace": "n", "uid": "u", "resourceVersion": "1"}
    new: Object = {"metadata": {**meta, "labels": {"a": "b c"}}}
    found = made.validate_update(new, {"metadata": meta})
    assert [error.field for error in found] == ["metadata.labels"] * 4
