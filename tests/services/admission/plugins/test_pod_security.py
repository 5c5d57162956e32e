"""PodSecurity: levels, versions, modes, exemptions, and what namespaces are told of their pods."""

from __future__ import annotations

from typing import Any

import pytest

from kubehop.machinery.status import StatusError
from services.admission.plugins.pod_security import PodSecurity, evaluation
from services.admission.plugins.pod_security.plugin import Configuration
from services.admission.plugins.pod_security.policies import LATEST, Policy, Standard, policy_of
from tests.services.admission.pods import pod, refusal
from tests.services.admission.requests import DictCluster, create, namespace, update

Object = dict[str, Any]
PREFIX = "pod-security.kubernetes.io/"

HARDENED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def container(**context: Any) -> Object:
    return {"name": "c", "image": "i", "securityContext": context}


def judged(standard: Standard, obj: Object) -> str:
    return ", ".join(map(str, evaluation.violations(standard, obj["metadata"], obj["spec"])))


def known(**labels: str) -> DictCluster:
    marks = {PREFIX + key.replace("_", "-"): value for key, value in labels.items()}
    return DictCluster().hold("", "namespaces", namespace("ns", labels=marks))


def test_plain_pod_against_restricted() -> None:
    """Everything that restricted wants is missing from a pod that says nothing, in the words of Kubernetes."""
    assert judged(Standard("restricted"), pod()) == (
        'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false),'
        ' unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]),'
        ' runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true),'
        ' seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or'
        ' "Localhost")'
    )


def test_hardened_pod_meets_restricted() -> None:
    """A pod that sets what restricted wants violates nothing."""
    assert judged(Standard("restricted"), pod(containers=[container(**HARDENED)])) == ""


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"hostNetwork": True, "hostIPC": True}, "host namespaces (hostNetwork=true, hostIPC=true)"),
        ({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]}, 'hostPath volumes (volume "a")'),
        ({"containers": [container(privileged=True)]},
         'privileged (container "c" must not set securityContext.privileged=true)'),
        ({"containers": [container(procMount="Unmasked")]},
         'procMount (container "c" must not set securityContext.procMount to "Unmasked")'),
        ({"containers": [{"name": "c", "ports": [{"containerPort": 1, "hostPort": 80}, {"hostPort": 443}]}]},
         'hostPort (container "c" uses hostPorts 443, 80)'),
        ({"containers": [{"name": "c", "livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 1}}}]},
         'probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")'),
        ({"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
         "forbidden sysctls (kernel.msgmax)"),
        ({"securityContext": {"windowsOptions": {"hostProcess": True}}, "containers": [container()]},
         "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)"),
        ({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
         'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")'),
        ({"securityContext": {"seLinuxOptions": {"type": "bad_t", "user": "u"}},
          "containers": [container(seLinuxOptions={"role": "r"})]},
         ('seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "bad_t";'
          " user may not be set; role may not be set)")),
        ({"containers": [container(seccompProfile={"type": "Unconfined"})]},
         'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")'),
        ({"containers": [container(capabilities={"add": ["SYS_ADMIN", "CHOWN", "NET_RAW"]})]},
         ('non-default capabilities (container "c" must not include "NET_RAW", "SYS_ADMIN" in'
          " securityContext.capabilities.add)")),
    ],
)  # fmt: skip
def test_each_rule_of_the_baseline(spec: Object, said: str) -> None:
    """Each rule of the baseline names who broke it and how."""
    assert judged(Standard("baseline"), pod(**spec)) == said


def test_rules_are_those_of_the_version() -> None:
    """A pinned version judges by the rules as they were."""
    probing = pod(containers=[{"name": "c", "readinessProbe": {"tcpSocket": {"host": "h"}}}])
    assert not judged(Standard("baseline", 33), probing)
    assert judged(Standard("baseline", 34), probing)
    apart = pod(hostUsers=False, containers=[container(procMount="Unmasked", runAsUser=0)])
    assert judged(Standard("baseline", 34), apart)
    assert not judged(Standard("baseline", 35), apart)
    assert "runAsUser=0" not in judged(Standard("restricted", 22), apart)
    assert "runAsUser=0" in judged(Standard("restricted", 23), apart)
    assert "procMount" in judged(Standard("restricted", LATEST), apart)
    tuned = pod(securityContext={"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]})
    assert judged(Standard("baseline", 31), tuned)
    assert not judged(Standard("baseline", 99), tuned)


def test_windows_pods_are_not_asked_for_what_windows_lacks() -> None:
    """From 1.25 on, pods of Windows need no capabilities, privilege escalation or seccomp settings."""
    windows = pod(os={"name": "windows"}, containers=[container(runAsNonRoot=True)])
    assert not judged(Standard("restricted", 25), windows)
    assert judged(Standard("restricted", 24), windows)


def test_restricted_volumes() -> None:
    """Restricted names volumes of other types, instead of the baseline's rule about host paths."""
    volumes = [{"name": "a", "hostPath": {"path": "/"}}, {"name": "b", "nfs": {}}, {"name": "c", "emptyDir": {}}]
    said = judged(Standard("restricted"), pod(containers=[container(**HARDENED)], volumes=volumes))
    assert said == 'restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs")'


def test_labels_say_what_applies() -> None:
    """Enforcement that cannot be read fails closed, warnings follow enforcement unless they are told otherwise."""
    policy, errors = policy_of({PREFIX + "enforce": "baseline", PREFIX + "enforce-version": "v1.30"}, Policy())
    assert (str(policy.enforce), str(policy.warn), str(policy.audit)) == (
        "baseline:v1.30", "baseline:v1.30", "privileged:latest",
    )  # fmt: skip
    assert not errors
    policy, errors = policy_of({PREFIX + "enforce": "x", PREFIX + "warn-version": "1.2"}, Policy())
    assert str(policy.enforce) == "restricted:latest"
    assert [str(error) for error in errors] == [
        f'metadata.labels[{PREFIX}enforce]: Invalid value: "x": must be one of privileged, baseline, restricted',
        f'metadata.labels[{PREFIX}warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
    ]


async def test_pods_are_refused_and_controllers_warned_about() -> None:
    """A pod is refused by enforce; a Deployment that would make such pods gives a warning."""
    plugin = PodSecurity(known(enforce="baseline"))
    said = await refusal(plugin.validate, create("pods", pod(hostPID=True), namespace="ns"))
    assert said == 'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)'
    deployment = {"metadata": {"name": "d"}, "spec": {"template": {"spec": {"hostPID": True, "containers": []}}}}
    asked = create("deployments", deployment, group="apps", namespace="ns")
    await plugin.validate(asked)
    assert asked.warnings == ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)']


async def test_audit_notes_what_is_let_in() -> None:
    """Audit annotations say what was enforced and what would have been refused."""
    plugin = PodSecurity(known(audit="baseline"))
    asked = create("pods", pod(hostPID=True), namespace="ns")
    await plugin.validate(asked)
    assert asked.annotations == {
        PREFIX + "enforce-policy": "privileged:latest",
        PREFIX + "audit-violations": 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)',
    }
    assert not asked.warnings


async def test_updates_that_change_no_image_are_let_through() -> None:
    """A pod from before the label may be changed, but for its images."""
    plugin = PodSecurity(known(enforce="baseline"))
    old = pod(hostPID=True)
    labelled = pod(hostPID=True, metadata={"labels": {"a": "b"}})
    assert not await refusal(plugin.validate, update("pods", labelled, old, namespace="ns"))
    replaced = pod(hostPID=True, containers=[{"name": "c", "image": "other"}])
    assert await refusal(plugin.validate, update("pods", replaced, old, namespace="ns"))
    debugged = pod(hostPID=True, ephemeralContainers=[{"name": "e", "image": "i"}])
    assert await refusal(
        plugin.validate, update("pods", debugged, old, namespace="ns", subresource="ephemeralcontainers")
    )


async def test_exemptions_and_defaults_of_the_configuration() -> None:
    """Namespaces, users and runtime classes may be exempt from the defaults."""
    configuration = Configuration(
        defaults=Policy(enforce=Standard("restricted")),
        namespaces=frozenset({"kube-system"}),
        usernames=frozenset({"root"}),
        runtime_classes=frozenset({"vm"}),
    )
    cluster = known().hold("", "namespaces", namespace("kube-system"))
    plugin = PodSecurity(cluster, configuration)
    assert await refusal(plugin.validate, create("pods", pod(), namespace="ns"))
    for asked, why in (
        (create("pods", pod(), namespace="kube-system"), "namespace"),
        (create("pods", pod(), namespace="ns", user="root"), "user"),
        (create("pods", pod(runtimeClassName="vm"), namespace="ns"), "runtimeClass"),
    ):
        await plugin.validate(asked)
        assert asked.annotations == {PREFIX + "exempt": why}
    labelled = namespace("kube-system", labels={PREFIX + "enforce": "baseline"})
    asked = create("namespaces", labelled, namespace="kube-system")
    await plugin.validate(asked)
    assert asked.warnings == [
        'namespace "kube-system" is exempt from Pod Security, and the policy (enforce=baseline:latest) will be ignored'
    ]


async def test_namespace_is_told_of_its_pods() -> None:
    """A stricter label warns of the pods that it would not let in, those with the same reasons together."""
    pods = [pod(name, hostPID=True, metadata={"namespace": "ns", "name": name}) for name in ("b", "a", "c")]
    cluster = known().hold("", "pods", *pods, pod("fine", metadata={"namespace": "ns", "name": "fine"}))
    labelled = namespace("ns", labels={PREFIX + "enforce": "baseline"})
    asked = update("namespaces", labelled, namespace("ns"), namespace="ns")
    await PodSecurity(cluster).validate(asked)
    assert asked.warnings == [
        'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
        "a (and 2 other pods): host namespaces",
    ]


async def test_unreadable_labels_are_refused_when_they_are_set() -> None:
    """Bad labels are 422 on creation, and on updates that make them bad; those that were bad may stay."""
    plugin = PodSecurity(DictCluster())
    bad = namespace("ns", labels={PREFIX + "warn": "none"})
    with pytest.raises(StatusError) as refused:
        await plugin.validate(create("namespaces", bad, namespace="ns"))
    assert refused.value.code == 422
    assert await refusal(plugin.validate, update("namespaces", bad, namespace("ns"), namespace="ns"))
    assert not await refusal(plugin.validate, update("namespaces", bad, bad, namespace="ns"))
