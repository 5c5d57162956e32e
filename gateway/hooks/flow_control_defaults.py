"""The flow schemas and priority levels of a fresh cluster, as data.

Facts: apiserver pkg/apis/flowcontrol/bootstrap/default.go. The mandatory ones are kept as they are here; the suggested
ones are the administrator's to change. The hook `flow_control` writes them.
"""

from __future__ import annotations

from typing import Any, Final

from kubehop.machinery import timestamps
from kubehop.machinery.objects import Object

GROUP: Final = "flowcontrol.apiserver.k8s.io"
API_VERSION: Final = f"{GROUP}/v1"
AUTOUPDATE: Final = "apf.kubernetes.io/autoupdate-spec"

MANDATORY: Final = frozenset({"exempt", "catch-all"})
"""Names, among levels and schemas alike, of those that are always as they are here."""

Subject = dict[str, Any]


def priority_levels() -> list[Object]:
    """Every PriorityLevelConfiguration, without server-set metadata."""
    return [
        _level("exempt", {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}),
        _level("catch-all", _limited(5, 0, {"type": "Reject"})),
        _level("system", _limited(30, 33, _queue(64, 6))),
        _level("node-high", _limited(40, 25, _queue(64, 6))),
        _level("leader-election", _limited(10, 0, _queue(16, 4))),
        _level("workload-high", _limited(40, 50, _queue(128, 6))),
        _level("workload-low", _limited(100, 90, _queue(128, 6))),
        _level("global-default", _limited(20, 50, _queue(128, 6))),
    ]


def flow_schemas() -> list[Object]:
    """Every FlowSchema, without server-set metadata, in order of precedence."""
    everybody = _groups("system:unauthenticated", "system:authenticated")
    nodes = _groups("system:nodes")
    system_accounts = _service_accounts("*")
    manager, scheduler = "system:kube-controller-manager", "system:kube-scheduler"
    leases = _resources(["coordination.k8s.io"], ["leases"])
    return [
        _schema("exempt", "exempt", 1, "", _everything(_groups("system:masters"))),
        _schema(
            "probes",
            "exempt",
            2,
            "",
            {
                "subjects": everybody,
                "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}],
            },
        ),
        _schema(
            "system-leader-election",
            "leader-election",
            100,
            "ByUser",
            {
                "subjects": [*_users(manager, scheduler), *system_accounts],
                "resourceRules": [{**leases, "verbs": ["get", "create", "update"]}],
            },
        ),
        _schema(
            "system-node-high",
            "node-high",
            400,
            "ByUser",
            {
                "subjects": nodes,
                "resourceRules": [_resources([""], ["nodes", "nodes/status"], cluster_scope=True), leases],
            },
        ),
        _schema("system-nodes", "system", 500, "ByUser", _everything(nodes)),
        _schema("kube-controller-manager", "workload-high", 800, "ByNamespace", _everything(_users(manager))),
        _schema("kube-scheduler", "workload-high", 800, "ByNamespace", _everything(_users(scheduler))),
        _schema("kube-system-service-accounts", "workload-high", 900, "ByNamespace", _everything(system_accounts)),
        _schema("service-accounts", "workload-low", 9000, "ByUser", _everything(_groups("system:serviceaccounts"))),
        _schema("global-default", "global-default", 9900, "ByUser", _everything(everybody)),
        _schema("catch-all", "catch-all", 10000, "ByUser", _everything(everybody)),
    ]


def _level(name: str, spec: Object) -> Object:
    return {
        "kind": "PriorityLevelConfiguration",
        "apiVersion": API_VERSION,
        "metadata": _metadata(name),
        "spec": spec,
        "status": {},
    }


def _limited(shares: int, lendable: int, response: Object) -> Object:
    return {
        "type": "Limited",
        "limited": {"nominalConcurrencyShares": shares, "limitResponse": response, "lendablePercent": lendable},
    }


def _queue(queues: int, hand: int) -> Object:
    return {"type": "Queue", "queuing": {"queues": queues, "handSize": hand, "queueLengthLimit": 50}}


def _schema(name: str, level: str, precedence: int, distinguisher: str, rules: Object) -> Object:
    spec: Object = {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence}
    if distinguisher:
        spec["distinguisherMethod"] = {"type": distinguisher}
    spec["rules"] = [rules]
    return {
        "kind": "FlowSchema",
        "apiVersion": API_VERSION,
        "metadata": _metadata(name),
        "spec": spec,
        "status": {"conditions": [_level_found(level)]},
    }


def _level_found(level: str) -> Object:
    """What the consumer of the configuration says of a schema whose level exists, as all of these do."""
    return {
        "type": "Dangling",
        "status": "False",
        "lastTransitionTime": timestamps.now(),
        "reason": "Found",
        "message": f'This FlowSchema references the PriorityLevelConfiguration object named "{level}" and it exists',
    }


def _metadata(name: str) -> Object:
    return {"name": name, "generation": 1, "annotations": {AUTOUPDATE: "true"}}


def _everything(subjects: list[Subject]) -> Object:
    return {
        "subjects": subjects,
        "resourceRules": [_resources(["*"], ["*"], cluster_scope=True)],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }


def _resources(groups: list[str], resources: list[str], *, cluster_scope: bool = False) -> Object:
    rule: Object = {"verbs": ["*"], "apiGroups": groups, "resources": resources}
    if cluster_scope:
        rule["clusterScope"] = True
    rule["namespaces"] = ["*"]
    return rule


def _groups(*names: str) -> list[Subject]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _users(*names: str) -> list[Subject]:
    return [{"kind": "User", "user": {"name": name}} for name in names]


def _service_accounts(*names: str) -> list[Subject]:
    return [{"kind": "ServiceAccount", "serviceAccount": {"namespace": "kube-system", "name": name}} for name in names]
