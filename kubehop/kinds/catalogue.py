"""Every resource that kube-apiserver v1.36 serves by default, and how to find one.

The gateway routes by it, storage takes keys and selectable fields from it, discovery documents are made from it.
Importing it reads no schema: it holds rows only. Generally available versions and no others are served, as
kube-apiserver's DefaultAPIResourceConfigSource decides in v1.36 (pkg/controlplane/instance.go: every beta is off).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from kubehop.kinds import (
    admissionregistration,
    apiextensions,
    apiregistration,
    apps,
    authentication,
    authorization,
    autoscaling,
    batch,
    certificates,
    coordination,
    core,
    devices,
    discovery,
    events,
    flowcontrol,
    networking,
    node,
    policy,
    rbac,
    scheduling,
    storage,
)
from kubehop.kinds.resource import Resource

# kube-apiserver's order of groups: the aggregator's own first, then by group priority
# (pkg/controlplane/apiserver/aggregator.go and cmd/kube-apiserver/app/aggregator.go).
_PACKAGES = (
    core,
    apiregistration,
    apps,
    events,
    authentication,
    authorization,
    autoscaling,
    batch,
    certificates,
    networking,
    policy,
    rbac,
    storage,
    admissionregistration,
    apiextensions,
    scheduling,
    coordination,
    node,
    discovery,
    flowcontrol,
    devices,
)

RESOURCES: tuple[Resource, ...] = tuple(row for package in _PACKAGES for row in package.RESOURCES)


def _index() -> Mapping[tuple[str, str, str], Resource]:
    return MappingProxyType({(row.group, row.version, row.name): row for row in RESOURCES})


def _versions() -> Mapping[str, tuple[str, ...]]:
    versions: dict[str, list[str]] = {}
    for row in RESOURCES:
        known = versions.setdefault(row.group, [])
        if row.version not in known:
            known.append(row.version)
    return MappingProxyType({group: tuple(known) for group, known in versions.items()})


def _storage() -> Mapping[tuple[str, str], Resource]:
    found: dict[tuple[str, str], Resource] = {}
    for row in RESOURCES:
        if not row.stored:
            continue
        # the row that speaks the stored version, or the first one where that version is not served
        # (mutatingadmissionpolicies are kept as v1beta1 for one release)
        best = _INDEX.get((row.storage_group, row.storage_version, row.name)) or row
        found.setdefault((row.group, row.name), best)
    return MappingProxyType(found)


_INDEX = _index()
_VERSIONS = _versions()
_STORAGE = _storage()
_KINDS: Mapping[tuple[str, str, str], Resource] = MappingProxyType(
    {(row.group, row.version, row.kind): row for row in reversed(RESOURCES)}
)


def lookup(group: str, version: str, resource: str) -> Resource | None:
    """Return the row of a served resource, by its plural name."""
    return _INDEX.get((group, version, resource))


def lookup_kind(group: str, version: str, kind: str) -> Resource | None:
    """Return the row of a served resource, by the kind of its objects."""
    return _KINDS.get((group, version, kind))


def groups() -> tuple[str, ...]:
    """Return the served groups in discovery order, the core group ("") first."""
    return tuple(_VERSIONS)


def versions(group: str) -> tuple[str, ...]:
    """Return the served versions of a group, the preferred one first; empty for an unknown group."""
    return _VERSIONS.get(group, ())


def preferred_version(group: str) -> str:
    """Return the preferred version of a group; empty for an unknown group."""
    return versions(group)[0] if group in _VERSIONS else ""


def group_versions() -> tuple[tuple[str, str], ...]:
    """Return every served (group, version) in discovery order."""
    return tuple((group, version) for group, known in _VERSIONS.items() for version in known)


def resources(group: str, version: str) -> tuple[Resource, ...]:
    """Return the rows of one group and version, in order of their names."""
    rows = (row for row in RESOURCES if row.group == group and row.version == version)
    return tuple(sorted(rows, key=lambda row: row.name))


def storage_resource(group: str, resource: str) -> Resource | None:
    """Return the row whose version is kept in the store; None for unknown and never stored resources.

    Events of both groups give the core row, and HorizontalPodAutoscalers of both versions the v2 row.
    """
    return _STORAGE.get((group, resource))


def storage_resources() -> tuple[Resource, ...]:
    """Return the distinct stored resources."""
    return tuple({(row.storage_group, row.name): row for row in _STORAGE.values()}.values())
