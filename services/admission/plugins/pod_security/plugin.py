"""The plugin PodSecurity: refuses, warns of and notes pods that do not meet the standard of their namespace.

Pods are held to `enforce`; what makes pods from a template is warned about and noted only. A namespace whose labels
change is told of the pods in it that would not be let in any more. Source of the behaviour: pod-security-admission
admission/admission.go.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from kubehop.machinery import status
from kubehop.machinery.objects import Object, labels, metadata, nested
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugin import Scoped
from services.admission.plugins.pod_security import evaluation
from services.admission.plugins.pod_security.policies import NO_POLICY, PREFIX, PRIVILEGED, Policy, Standard, policy_of

_NAMESPACES: Final = ("", "namespaces")
_PODS: Final = ("", "pods")
_TEMPLATES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "replicationcontrollers"): ("spec", "template"),
    ("", "podtemplates"): ("template",),
    ("apps", "replicasets"): ("spec", "template"),
    ("apps", "deployments"): ("spec", "template"),
    ("apps", "statefulsets"): ("spec", "template"),
    ("apps", "daemonsets"): ("spec", "template"),
    ("batch", "jobs"): ("spec", "template"),
    ("batch", "cronjobs"): ("spec", "jobTemplate", "spec", "template"),
}
"""Where objects that make pods keep the template."""
_IGNORED_SUBRESOURCES: Final = frozenset(
    {"exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"}
)
_CONTAINERS: Final = ("containers", "initContainers")
_MOST_PODS: Final = 3000
_CHECK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Configuration:
    """PodSecurityConfiguration: what applies where a namespace says nothing, and to whom nothing applies."""

    defaults: Policy = NO_POLICY
    namespaces: frozenset[str] = frozenset()
    usernames: frozenset[str] = frozenset()
    runtime_classes: frozenset[str] = frozenset()


_NOTHING_SAID: Final = Configuration()


class PodSecurity(Scoped):
    """See the module."""

    name: Final = "PodSecurity"
    operations = frozenset({CREATE, UPDATE})

    def __init__(self, cluster: Cluster, configuration: Configuration = _NOTHING_SAID) -> None:
        self._cluster = cluster
        self._namespaces = Lookup.of(cluster, *_NAMESPACES)
        self._configuration = configuration

    def concerns(self, group: str, resource: str, subresource: str) -> bool:
        """Pods with the subresources that may change their spec, what makes pods, and namespaces."""
        if (group, resource) == _PODS:
            return subresource not in _IGNORED_SUBRESOURCES
        return not subresource and ((group, resource) == _NAMESPACES or (group, resource) in _TEMPLATES)

    async def validate(self, attributes: Attributes) -> None:
        """Refuse what the standard forbids; warn and note as the namespace asks."""
        place = (attributes.group, attributes.resource)
        if place == _NAMESPACES:
            await self._namespace(attributes)
        elif place == _PODS:
            await self._pod(attributes)
        else:
            await self._template(attributes, _TEMPLATES[place])

    async def _pod(self, attributes: Attributes) -> None:
        if self._is_exempt(attributes):
            return
        namespace = await self._namespaces.get(attributes.namespace)
        if namespace is None:
            text = f'failed to lookup namespace "{attributes.namespace}"'
            _note(
                attributes, "error", f'Internal error occurred: {text}: namespaces "{attributes.namespace}" not found'
            )
            raise status.internal_error(text)
        policy, errors = policy_of(labels(namespace), self._configuration.defaults)
        if not errors and policy.is_privileged:
            _note(attributes, "enforce-policy", str(PRIVILEGED))
            return
        pod = attributes.object
        if attributes.operation == UPDATE and not _is_significant(pod, attributes.old_object):
            return
        self._judge(attributes, policy, [str(error) for error in errors], pod, enforce=True)

    async def _template(self, attributes: Attributes, path: tuple[str, ...]) -> None:
        if self._is_exempt(attributes):
            return
        namespace = await self._namespaces.get(attributes.namespace)
        if namespace is None:
            missing = f'failed to lookup namespace "{attributes.namespace}"'
            _note(attributes, "error", f'{missing}: namespaces "{attributes.namespace}" not found')
            return
        policy, errors = policy_of(labels(namespace), self._configuration.defaults)
        if not errors and policy.warn.level == policy.audit.level == "privileged":
            return
        template = nested(attributes.object, *path)
        if template is not None:
            self._judge(attributes, policy, [str(error) for error in errors], template, enforce=False)

    def _judge(self, attributes: Attributes, policy: Policy, errors: list[str], pod: Object, *, enforce: bool) -> None:
        meta, spec = pod.get("metadata") or {}, pod.get("spec") or {}
        if spec.get("runtimeClassName") in self._configuration.runtime_classes:
            _note(attributes, "exempt", "runtimeClass")
            return
        if errors:
            said = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
            _note(attributes, "error", f"Failed to parse policy: {said}")
        details: dict[Standard, str] = {}

        def detail(standard: Standard) -> str:
            if standard not in details:
                details[standard] = ", ".join(map(str, evaluation.violations(standard, meta, spec)))
            return details[standard]

        if enforce:
            _note(attributes, "enforce-policy", str(policy.enforce))
        if said := detail(policy.audit):
            _note(attributes, "audit-violations", f'would violate PodSecurity "{policy.audit}": {said}')
        if enforce and (said := detail(policy.enforce)):
            message = f'violates PodSecurity "{policy.enforce}": {said}'
            raise status.forbidden(attributes.group, attributes.resource, attributes.name, message, [])
        if said := detail(policy.warn):
            attributes.warn(f'would violate PodSecurity "{policy.warn}": {said}')

    async def _namespace(self, attributes: Attributes) -> None:
        namespace = attributes.object
        defaults = self._configuration.defaults
        policy, errors = policy_of(labels(namespace), defaults)
        exempt = attributes.namespace in self._configuration.namespaces
        if attributes.operation == CREATE:
            if errors:
                raise status.invalid(attributes.kind_group, attributes.kind, attributes.name, errors)
            if exempt:
                self._warn_of_exemption(attributes, policy)
            return
        old, old_errors = policy_of(labels(attributes.old_object), defaults)
        if errors and errors != old_errors:
            raise status.invalid(attributes.kind_group, attributes.kind, attributes.name, errors)
        new, before = policy.enforce, old.enforce
        if new == before or new.level == "privileged":
            return
        if new.minor == before.minor and new.strictness <= before.strictness:
            return
        if exempt:
            self._warn_of_exemption(attributes, policy)
            return
        pods = await self._cluster.list("", "pods", metadata(namespace)["name"])
        for text in self._pods_that_violate(metadata(namespace)["name"], new, pods):
            attributes.warn(text)

    def _pods_that_violate(self, namespace: str, standard: Standard, pods: Iterable[Object]) -> Iterable[str]:
        """Warnings of the pods of a namespace that do not meet a standard, within limits of number and time."""
        until = time.monotonic() + _CHECK_SECONDS
        wanted = self._one_of_each_controller_first(pods)
        names: dict[str, list[str]] = {}
        checked = 0
        for pod in wanted[:_MOST_PODS]:
            found = evaluation.violations(standard, metadata(pod), pod.get("spec") or {})
            if found:
                names.setdefault(", ".join(one.reason for one in found), []).append(metadata(pod)["name"])
            checked += 1
            if time.monotonic() > until:
                break
        if checked < len(wanted):
            yield (
                f"new PodSecurity enforce level only checked against the first {checked} of {len(wanted)} existing pods"
            )
        if names:
            yield f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{standard}"'
        yield from sorted(f"{_first_and_others(pods_of)}: {reason}" for reason, pods_of in names.items())

    def _one_of_each_controller_first(self, pods: Iterable[Object]) -> list[Object]:
        first: list[Object] = []
        more: list[Object] = []
        seen: set[str] = set()
        for pod in pods:
            if nested(pod, "spec", "runtimeClassName") in self._configuration.runtime_classes:
                continue
            owners = metadata(pod).get("ownerReferences") or ()
            controller = next((owner.get("uid", "") for owner in owners if owner.get("controller")), None)
            if controller is not None and controller in seen:
                more.append(pod)
                continue
            if controller is not None:
                seen.add(controller)
            first.append(pod)
        return first + more

    def _is_exempt(self, attributes: Attributes) -> bool:
        configuration = self._configuration
        if attributes.namespace in configuration.namespaces:
            _note(attributes, "exempt", "namespace")
            return True
        if attributes.user_name in configuration.usernames:
            _note(attributes, "exempt", "user")
            return True
        return False

    def _warn_of_exemption(self, attributes: Attributes, policy: Policy) -> None:
        if policy.is_privileged or policy.amounts_to(self._configuration.defaults):
            return
        asked = labels(attributes.object)
        said = ", ".join(
            f"{mode}={standard}"
            for mode, standard in (("enforce", policy.enforce), ("audit", policy.audit), ("warn", policy.warn))
            if standard.level != "privileged" and (PREFIX + mode in asked or f"{PREFIX}{mode}-version" in asked)
        )
        name = metadata(attributes.object).get("name", "")
        attributes.warn(f'namespace "{name}" is exempt from Pod Security, and the policy ({said}) will be ignored')


def _is_significant(new: Object, old: Object) -> bool:
    """Whether an update changes what the standards look at: images, and which containers there are."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    for kind in _CONTAINERS:
        images = [container.get("image") for container in spec.get(kind) or ()]
        if images != [container.get("image") for container in before.get(kind) or ()]:
            return True
    known = {one.get("name"): one.get("image") for one in before.get("ephemeralContainers") or ()}
    return any(
        one.get("name") not in known or one.get("image") != known[one.get("name")]
        for one in spec.get("ephemeralContainers") or ()
    )


def _first_and_others(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{min(names)} (and {others} other pod{'' if others == 1 else 's'})"


def _note(attributes: Attributes, key: str, value: str) -> None:
    attributes.annotations[PREFIX + key] = value
