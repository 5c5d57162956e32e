"""Containers of a pod: those that run, those of initialization, those that are added to a running pod to debug it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from kubehop.kinds.core.pod_validation import environment, handlers, mounts, network, resources, security
from kubehop.kinds.core.pod_validation.volume_sources import PULL_POLICIES
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
_RESTART_POLICIES = ("Always", "Never", "OnFailure")
_MAX_RULES = 20
_MAX_EXIT_CODES = 255
_NOT_IN_INIT = "may not be set for init containers without restartPolicy=Always"
_NOT_EPHEMERAL = "cannot be set for an Ephemeral Container"
# in the order of the struct
_EPHEMERAL_FORBIDDEN = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip
_SPACE = "must not have leading or trailing whitespace"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What of the pod its containers are held against."""

    volumes: mounts.Volumes
    claims: Collection[str]
    grace: int | None
    restart_policy: str
    host_users: bool


def running(path: Path, found: list[Object], around: Surroundings) -> Errors:
    """Check the containers that run (validateContainers)."""
    if not found:
        yield fields.required(path)
        return
    seen: set[str] = set()
    for index, container in enumerate(found):
        at, name = path.index(index), container.get("name") or ""
        yield from _common(at, container, around)
        if name in seen:
            yield fields.duplicate(at.child("name"), name)
        seen.add(name)
        yield from handlers.probes(at, container, around.grace)
        yield from _restarts(at, container)
    yield from network.host_port_conflicts(path, found)


def initializing(path: Path, found: list[Object], others: list[Object], around: Surroundings) -> Errors:
    """Check the containers of initialization (validateInitContainers)."""
    seen = {container.get("name") or "" for container in others}
    for index, container in enumerate(found):
        at, name = path.index(index), container.get("name") or ""
        yield from _common(at, container, around)
        yield from _restarts(at, container)
        if name in seen:
            yield fields.duplicate(at.child("name"), name)
        elif name:
            seen.add(name)
        # they run one by one, so that only a container's own ports can clash
        yield from network.host_port_conflicts(path, [container])
        if container.get("restartPolicy") == "Always":
            yield from handlers.probes(at, container, around.grace)
            continue
        for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
            if container.get(field) is not None:
                yield fields.forbidden(at.child(field), _NOT_IN_INIT)


def ephemeral(path: Path, spec: Object, around: Surroundings) -> Errors:
    """Check the containers that are there to debug (validateEphemeralContainers)."""
    others = {
        container.get("name") or "" for field in ("containers", "initContainers") for container in spec.get(field) or ()
    }
    seen = set(others)
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        at, name = path.index(index), container.get("name") or ""
        yield from _common(at, container, around)
        yield from image_space(at, container)
        if name in seen:
            yield fields.duplicate(at.child("name"), name)
        seen.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            yield fields.not_found(at.child("targetContainerName"), target)
        for field in _EPHEMERAL_FORBIDDEN:
            if container.get(field):
                yield fields.forbidden(at.child(field), _NOT_EPHEMERAL)
        for position, mount in enumerate(container.get("volumeMounts") or ()):
            for field in ("subPath", "subPathExpr"):
                if mount.get(field):
                    yield fields.forbidden(at.child("volumeMounts").index(position).child(field), _NOT_EPHEMERAL)


def _common(path: Path, container: Object, around: Surroundings) -> Errors:
    """Check what all containers have (validateContainerCommon)."""
    name = container.get("name") or ""
    if not name:
        yield fields.required(path.child("name"))
    else:
        for message in names.dns1123_label(name):
            yield fields.invalid(path.child("name"), name, message)
    if not container.get("image"):
        yield fields.required(path.child("image"))
    yield from _choice(path, container, "terminationMessagePolicy", _MESSAGE_POLICIES)
    if container.get("ports"):
        yield from network.ports(path.child("ports"), container["ports"])
    if container.get("env"):
        yield from environment.variables(path.child("env"), container["env"])
    if container.get("envFrom"):
        yield from environment.sources(path.child("envFrom"), container["envFrom"])
    if container.get("volumeMounts"):
        yield from mounts.mounts(path.child("volumeMounts"), container, around.volumes)
    if container.get("volumeDevices"):
        yield from mounts.devices(path.child("volumeDevices"), container, around.volumes)
    yield from _choice(path, container, "imagePullPolicy", PULL_POLICIES)
    if container.get("resources"):
        yield from resources.requirements(path.child("resources"), container["resources"], around.claims)
    if container.get("resizePolicy"):
        at = path.child("resizePolicy")
        yield from resources.resize_policies(at, container["resizePolicy"], around.restart_policy)
    if container.get("securityContext"):
        at = path.child("securityContext")
        yield from security.of_container(at, container["securityContext"], host_users=around.host_users)


def _choice(path: Path, container: Object, field: str, supported: tuple[str, ...]) -> Errors:
    value = container.get(field) or ""
    if not value:
        yield fields.required(path.child(field))
    elif value not in supported:
        yield fields.not_supported(path.child(field), value, supported)


def _restarts(path: Path, container: Object) -> Errors:
    """Check whether and when a container alone is started again (validateContainerRestartPolicy)."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is None:
        if not rules:
            return
        yield fields.required(path.child("restartPolicy"), "must specify restartPolicy when restart rules are used")
    elif policy not in _RESTART_POLICIES:
        yield fields.not_supported(path.child("restartPolicy"), policy, _RESTART_POLICIES)
    if len(rules) > _MAX_RULES:
        yield fields.too_many(path.child("restartPolicyRules"), len(rules), _MAX_RULES)
    for index, rule in enumerate(rules):
        yield from _restart_rule(path.child("restartPolicyRules").index(index), rule)


def _restart_rule(path: Path, rule: Object) -> Errors:
    action, codes = rule.get("action") or "", rule.get("exitCodes")
    if action not in ("Restart", "RestartAllContainers"):
        yield fields.not_supported(path.child("action"), action, ("Restart", "RestartAllContainers"))
    if codes is None:
        yield fields.required(path.child("exitCodes"), "must be specified")
        return
    operator, values = codes.get("operator") or "", codes.get("values") or ()
    if operator not in ("In", "NotIn"):
        yield fields.not_supported(path.child("exitCodes", "operator"), operator, ("In", "NotIn"))
    if len(values) > _MAX_EXIT_CODES:
        yield fields.too_many(path.child("exitCodes", "values"), len(values), _MAX_EXIT_CODES)


def image_space(path: Path, container: Object) -> Errors:
    """Refuse an image's name with spaces around it: in pods, not in templates (validateContainerOnlyForPod)."""
    image = container.get("image") or ""
    if image != image.strip():
        yield fields.invalid(path.child("image"), image, _SPACE)
