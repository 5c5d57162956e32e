"""Defaults of pod specs, for pods and for the templates of every workload (pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubehop.kinds.defaulting import fill, fill_zero, items, part, struct
from kubehop.machinery import quantity

Object = dict[str, Any]

READ_ONLY_FILES = 0o644
TOKEN_SECONDS = 3600


def template(node: Object | None) -> None:
    """Fill in a pod template. Changes it."""
    if node is not None:
        pod_spec(struct(node, "spec"))


def pod_spec(spec: Object) -> None:
    """Fill in a pod's spec. Changes it."""
    fill(spec, dnsPolicy="ClusterFirst", restartPolicy="Always", schedulerName="default-scheduler")
    fill(spec, securityContext={}, terminationGracePeriodSeconds=30)
    # two names of one field
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for volume in items(spec, "volumes"):
        _volume(volume)
    for container in containers(spec):
        _container(container)
    for container in items(spec, "ephemeralContainers"):
        _container(container)


def containers(spec: Object) -> Iterator[Object]:
    """Yield the containers of a spec, those of initialization first."""
    yield from items(spec, "initContainers")
    yield from items(spec, "containers")


def host_ports(spec: Object) -> None:
    """Open on the node what is open in the pod, where both share the network: for pods, not for templates."""
    if spec.get("hostNetwork"):
        for container in containers(spec):
            for port in items(container, "ports"):
                fill_zero(port, hostPort=port.get("containerPort"))


def resource_requests(spec: Object) -> None:
    """Request what is limited, where nothing is requested: for pods, not for templates. Changes the spec."""
    for container in containers(spec):
        limits = part(container, "resources", "limits")
        if limits:
            requests = struct(container, "resources", "requests")
            for name, value in limits.items():
                requests.setdefault(name, value)
    whole = part(spec, "resources")
    if whole is not None:
        _requests_of_all(spec, whole)


def _requests_of_all(spec: Object, whole: Object) -> None:
    """Request for the pod what its containers request together, else what is its limit. Changes the pod's resources."""
    requests = dict(whole.get("requests") or {})
    for name, amount in container_requests(spec).items():
        if name in _POD_LEVEL:
            requests.setdefault(name, str(amount))
    for name, limit in (whole.get("limits") or {}).items():
        if name in _POD_LEVEL or name.startswith("hugepages-"):
            requests.setdefault(name, limit)
    if requests:
        whole["requests"] = requests


_POD_LEVEL = ("cpu", "memory")


Amounts = dict[str, quantity.Quantity]


def container_requests(spec: Object) -> Amounts:
    """Return what the containers of a pod request at most at any time (component-helpers resource.PodRequests).

    Containers of initialization run one by one, but for sidecars, which stay.
    """
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in items(spec, "initContainers"):
        requested = _requested(container)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum(sidecars, requested)
            most = _larger(most, sidecars)
        else:
            most = _larger(most, _sum(sidecars, requested))
    running = sidecars
    for container in items(spec, "containers"):
        running = _sum(running, _requested(container))
    return _larger(most, running)


def _requested(container: Object) -> Amounts:
    requests = part(container, "resources", "requests") or {}
    return {name: quantity.parse(str(amount)) for name, amount in requests.items()}


def _sum(one: Amounts, other: Amounts) -> Amounts:
    return {**one, **{name: one[name] + amount if name in one else amount for name, amount in other.items()}}


def _larger(one: Amounts, other: Amounts) -> Amounts:
    return {**one, **{name: max(one[name], amount) if name in one else amount for name, amount in other.items()}}


def pull_policy(image: str) -> str:
    """Return when an image is pulled if nobody says: always for the tag `latest`, which is also that of no tag."""
    name, at, _digest = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    if at:
        return "IfNotPresent"
    return "Always" if not colon or tag == "latest" else "IfNotPresent"


def _container(container: Object) -> None:
    fill(container, imagePullPolicy=pull_policy(container.get("image") or ""))
    fill(container, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File")
    for port in items(container, "ports"):
        fill(port, protocol="TCP")
    for variable in items(container, "env"):
        _field_reference(part(variable, "valueFrom", "fieldRef"))
        key = part(variable, "valueFrom", "fileKeyRef")
        if key is not None:
            fill(key, optional=False)
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        _probe(part(container, probe))
    for hook in ("postStart", "preStop"):
        _http_get(part(container, "lifecycle", hook, "httpGet"))


def _probe(probe: Object | None) -> None:
    if probe is None:
        return
    fill_zero(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    _http_get(part(probe, "httpGet"))
    call = part(probe, "grpc")
    if call is not None and call.get("service") is None:
        call["service"] = ""


def _http_get(action: Object | None) -> None:
    if action is not None:
        fill(action, path="/", scheme="HTTP")


def _field_reference(reference: Object | None) -> None:
    if reference is not None:
        fill(reference, apiVersion="v1")


def _volume(volume: Object) -> None:
    if not volume.keys() - {"name"}:
        volume["emptyDir"] = {}
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        node = part(volume, source)
        if node is not None:
            fill(node, defaultMode=READ_ONLY_FILES)
    volume_source(volume)
    for item in items(volume, "downwardAPI", "items"):
        _field_reference(part(item, "fieldRef"))
    for projection in items(volume, "projected", "sources"):
        for item in items(projection, "downwardAPI", "items"):
            _field_reference(part(item, "fieldRef"))
        token = part(projection, "serviceAccountToken")
        if token is not None:
            fill(token, expirationSeconds=TOKEN_SECONDS)
    image = part(volume, "image")
    if image is not None:
        fill(image, pullPolicy=pull_policy(image.get("reference") or ""))
    claim = part(volume, "ephemeral", "volumeClaimTemplate")
    if claim is not None:
        fill(struct(claim, "spec"), volumeMode="Filesystem")


def volume_source(source: Object) -> None:
    """Fill in the sources that pods' volumes and persistent volumes share. Changes the source."""
    for name, defaults in _SOURCES.items():
        node = part(source, name)
        if node is not None:
            fill(node, **defaults)
    host = part(source, "hostPath")
    if host is not None and host.get("type") is None:
        host["type"] = ""


_SOURCES: dict[str, Object] = {
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}
