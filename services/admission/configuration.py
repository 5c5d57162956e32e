"""The AdmissionConfiguration file: one part for each plugin that has something to be told.

Read by `settings` for `--admission-control-config-file`; a plugin's part is beside it in a file of its own, or in it.
apiserver: pkg/admission/config.go. What a part says is read by the functions here, each for one plugin; whatever they
do not understand is a problem that ends the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kubehop.machinery import names
from kubehop.machinery.objects import Object
from services.admission.plugins.event_rate_limit import Limit
from services.admission.plugins.pod_security import policies
from services.admission.plugins.pod_security.plugin import Configuration as PodSecurityConfiguration
from services.admission.plugins.pod_security.policies import Policy, Standard
from services.admission.plugins.resource_quota.judging import Limited

_FILE_TYPES: Final = frozenset({"apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1"})
_TYPES: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "PodSecurity": (
        "PodSecurityConfiguration",
        frozenset(f"pod-security.admission.config.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1")),
    ),
    "ResourceQuota": (
        "ResourceQuotaConfiguration",
        frozenset(
            {"apiserver.config.k8s.io/v1", *(f"resourcequota.admission.k8s.io/{v}" for v in ("v1beta1", "v1alpha1"))}
        ),
    ),
    "EventRateLimit": ("Configuration", frozenset({"eventratelimit.admission.k8s.io/v1alpha1"})),
    "PodTolerationRestriction": ("Configuration", frozenset({"podtolerationrestriction.admission.k8s.io/v1alpha1"})),
}
"""The kind and versions of each plugin's part."""
_LIMIT_TYPES: Final = ("Server", "Namespace", "User", "SourceAndObject")
_MODES: Final = ("enforce", "audit", "warn")


class ConfigurationError(Exception):
    """A file that cannot be followed; the message says where and why."""


def read(path: Path) -> dict[str, Object]:
    """The part of each plugin, by name. ConfigurationError where the file cannot be followed."""
    document = _load(path)
    if document.get("kind") != "AdmissionConfiguration" or document.get("apiVersion") not in _FILE_TYPES:
        stated = f"{document.get('apiVersion')}, Kind={document.get('kind')}"
        raise ConfigurationError(
            f"{path}: expected an AdmissionConfiguration of apiserver.config.k8s.io/v1, got {stated}"
        )
    _only(document, {"kind", "apiVersion", "plugins"}, str(path))
    parts: dict[str, Object] = {}
    for index, plugin in enumerate(document.get("plugins") or ()):
        place = f"{path}: plugins[{index}]"
        if not isinstance(plugin, dict) or not isinstance(plugin.get("name"), str):
            raise ConfigurationError(f"{place}: name is required")
        _only(plugin, {"name", "path", "configuration"}, place)
        name = plugin["name"]
        part = plugin.get("configuration")
        if part is None and plugin.get("path"):
            part = _load(path.parent / plugin["path"])
        if part is not None:
            parts.setdefault(name, _checked(name, part, place))
    return parts


def _load(path: Path) -> Object:
    import yaml  # the only use, and most stages have no file

    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigurationError(f"unable to read admission control configuration from {path}: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}: is no object")
    return document


def _checked(name: str, part: Any, place: str) -> Object:
    if name not in _TYPES:
        raise ConfigurationError(f"{place}: kubehop has no configuration for the plugin {name}")
    kind, versions = _TYPES[name]
    if not isinstance(part, dict) or part.get("kind") != kind or part.get("apiVersion") not in versions:
        raise ConfigurationError(f"{place}: expected a {kind} of {min(versions)}")
    try:
        _READERS[name](part)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigurationError(f"{place}: {error}") from error
    return part


def _only(value: Mapping[str, Any], known: set[str], place: str) -> None:
    if unknown := sorted(set(value) - known):
        raise ConfigurationError(f"{place}: unknown field {unknown[0]}")


def _members(value: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(value) - known - {"kind", "apiVersion"}):
        raise ValueError(f"unknown field {unknown[0]}")


def pod_security(part: Object) -> PodSecurityConfiguration:
    """What PodSecurity is told. ValueError where it makes no sense."""
    _members(part, {"defaults", "exemptions"})
    defaults = part.get("defaults") or {}
    _members(defaults, {*_MODES, *(f"{mode}-version" for mode in _MODES)})
    standards = [_standard(defaults, mode) for mode in _MODES]
    exemptions = part.get("exemptions") or {}
    _members(exemptions, {"namespaces", "usernames", "runtimeClasses"})
    return PodSecurityConfiguration(
        defaults=Policy(*standards),
        namespaces=frozenset(_exempt(exemptions, "namespaces", lambda name: names.name_is_dns_label(name, False))),
        usernames=frozenset(
            _exempt(exemptions, "usernames", lambda name: [] if name else ["username must not be empty"])
        ),
        runtime_classes=frozenset(
            _exempt(exemptions, "runtimeClasses", lambda name: names.name_is_dns_subdomain(name, False))
        ),
    )


def _standard(defaults: Object, mode: str) -> Standard:
    try:
        level = policies.level(defaults.get(mode) or "privileged")
        return Standard(level, policies.minor(defaults.get(f"{mode}-version") or "latest"))
    except ValueError as error:
        raise ValueError(f"defaults.{mode}: {error}") from error


def _exempt(exemptions: Object, which: str, problems: Callable[[str], list[str]]) -> Iterator[str]:
    for index, name in enumerate(exemptions.get(which) or ()):
        if wrong := problems(name):
            raise ValueError(f"exemptions.{which}[{index}]: {', '.join(wrong)}")
        yield name


def resource_quota(part: Object) -> Sequence[Limited]:
    """What ResourceQuota is told. ValueError where it makes no sense."""
    _members(part, {"limitedResources"})
    found = []
    for index, one in enumerate(part.get("limitedResources") or ()):
        _members(one, {"apiGroup", "resource", "matchContains", "matchScopes"})
        if not one.get("resource"):
            raise ValueError(f"limitedResources[{index}].resource is required")
        found.append(
            Limited(
                one.get("apiGroup") or "",
                one["resource"],
                tuple(one.get("matchContains") or ()),
                tuple(one.get("matchScopes") or ()),
            )
        )
    return found


def event_rate_limit(part: Object) -> Sequence[Limit]:
    """What EventRateLimit is told. ValueError where it makes no sense."""
    _members(part, {"limits"})
    limits = part.get("limits") or ()
    if not limits:
        raise ValueError("limits: Invalid value: []: must not be empty")
    found = []
    for index, one in enumerate(limits):
        _members(one, {"type", "qps", "burst", "cacheSize"})
        place = f"limits[{index}]"
        if one.get("type") not in _LIMIT_TYPES:
            raise ValueError(f"{place}.type: supported values: {', '.join(_LIMIT_TYPES)}")
        for name in ("qps", "burst"):
            if not isinstance(one.get(name), int) or one[name] <= 0:
                raise ValueError(f"{place}.{name}: Invalid value: {one.get(name, 0)}: must be positive")
        size = one.get("cacheSize") or 0
        if size < 0:
            raise ValueError(f"{place}.cacheSize: Invalid value: {size}: must not be negative")
        found.append(Limit(one["type"], one["qps"], one["burst"], size))
    return found


def pod_tolerations(part: Object) -> tuple[Sequence[Object], Sequence[Object]]:
    """What PodTolerationRestriction is told: default and allowed tolerations."""
    _members(part, {"default", "whitelist"})
    return list(part.get("default") or ()), list(part.get("whitelist") or ())


_READERS: Final[Mapping[str, Callable[[Object], Any]]] = {
    "PodSecurity": pod_security,
    "ResourceQuota": resource_quota,
    "EventRateLimit": event_rate_limit,
    "PodTolerationRestriction": pod_tolerations,
}
