"""The AdmissionConfiguration file: parts in it and beside it, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.admission import configuration, registry
from services.admission.configuration import ConfigurationError
from services.admission.plugins.event_rate_limit import Limit
from services.admission.plugins.pod_security import PodSecurity
from tests.services.admission.pods import pod, refusal
from tests.services.admission.requests import DictCluster, create, namespace, surroundings

POD_SECURITY = {
    "apiVersion": "pod-security.admission.config.k8s.io/v1",
    "kind": "PodSecurityConfiguration",
    "defaults": {"enforce": "baseline", "enforce-version": "v1.30"},
    "exemptions": {"namespaces": ["kube-system"], "usernames": ["root"], "runtimeClasses": ["vm"]},
}


def write(directory: Path, *plugins: dict[str, Any], **head: Any) -> Path:
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": list(plugins),
        **head,
    }
    path = directory / "admission.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


async def test_parts_reach_their_plugins(tmp_path: Path) -> None:
    """A part in the file and a part in a file beside it make what the plugin does."""
    (tmp_path / "psa.yaml").write_text(yaml.safe_dump(POD_SECURITY))
    for part in ({"configuration": POD_SECURITY}, {"path": "psa.yaml"}):
        parts = configuration.read(write(tmp_path, {"name": "PodSecurity", **part}))
        cluster = DictCluster().hold("", "namespaces", namespace("ns"))
        plugin = registry.FACTORIES["PodSecurity"](surroundings(cluster, None, **parts))
        assert isinstance(plugin, PodSecurity)
        said = await refusal(plugin.validate, create("pods", pod(hostPID=True), namespace="ns"))
        assert 'violates PodSecurity "baseline:v1.30"' in said


def test_each_part_is_read(tmp_path: Path) -> None:
    """Limits of events, of quota, and tolerations."""
    quota = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "ResourceQuotaConfiguration",
        "limitedResources": [{"resource": "pods", "matchContains": ["cpu"]}],
    }
    events = {
        "apiVersion": "eventratelimit.admission.k8s.io/v1alpha1",
        "kind": "Configuration",
        "limits": [{"type": "Server", "qps": 5, "burst": 10}],
    }
    given = [{"name": "ResourceQuota", "configuration": quota}, {"name": "EventRateLimit", "configuration": events}]
    parts = configuration.read(write(tmp_path, *given))
    assert configuration.resource_quota(parts["ResourceQuota"])[0].match_contains == ("cpu",)
    assert configuration.event_rate_limit(parts["EventRateLimit"]) == [Limit("Server", 5, 10, 0)]
    for name in parts:
        assert registry.FACTORIES[name](surroundings(DictCluster(), None, **parts)).name == name


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"defaults": {"enforce": "strict"}}, "defaults.enforce: must be one of privileged, baseline, restricted"),
        ({"defaults": {"warn-version": "1.2"}}, 'defaults.warn: must be "latest" or "v1.x"'),
        ({"exemptions": {"namespaces": ["Bad"]}}, "exemptions.namespaces[0]: a lowercase RFC 1123 label"),
        ({"exemption": {}}, "unknown field exemption"),
        ({"kind": "Other"}, "expected a PodSecurityConfiguration"),
    ],
)
def test_parts_that_make_no_sense_are_told(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    """The start ends with where and why."""
    path = write(tmp_path, {"name": "PodSecurity", "configuration": POD_SECURITY | change})
    with pytest.raises(ConfigurationError) as told:
        configuration.read(path)
    assert problem in str(told.value)


def test_files_that_are_no_configuration(tmp_path: Path) -> None:
    """Missing files, other kinds, unknown fields and plugins without configuration are told."""
    with pytest.raises(ConfigurationError, match="unable to read admission control configuration"):
        configuration.read(tmp_path / "missing.yaml")
    with pytest.raises(ConfigurationError, match="expected an AdmissionConfiguration"):
        configuration.read(write(tmp_path, kind="Pod"))
    with pytest.raises(ConfigurationError, match="unknown field plugin"):
        configuration.read(write(tmp_path, plugin=[]))
    with pytest.raises(ConfigurationError, match="no configuration for the plugin Nope"):
        configuration.read(write(tmp_path, {"name": "Nope", "configuration": {}}))
