"""Discovery documents: which groups, versions and resources there are, in kube-apiserver's words and order.

The gateway's discovery endpoints serve these bytes as they are. A `Discovery` is made from resource rows, once at
start and anew whenever custom resources come or go; every document is built when it is first asked for and kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

Object = dict[str, Any]

AGGREGATED_VERSIONS = ("v2", "v2beta1")


class ServedSubresource(Protocol):
    """What discovery says of a subresource; group and version are empty where they are the parent's."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def verbs(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102


class ServedResource(Protocol):
    """What discovery says of a resource of one group and version."""

    @property
    def group(self) -> str: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def singular(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def namespaced(self) -> bool: ...  # noqa: D102
    @property
    def verbs(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def short_names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def categories(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def storage_version_hash(self) -> str: ...  # noqa: D102
    @property
    def subresources(self) -> Sequence[ServedSubresource]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Document:
    """An aggregated document: its JSON, and the entity tag (without quotes) that kube-apiserver would give it."""

    body: bytes
    etag: str


class Discovery:
    """All discovery documents of a set of resources.

    Groups and versions come in the order in which the rows name them, resources sorted by name. The core group is
    the one named "".
    """

    def __init__(self, resources: Iterable[ServedResource]) -> None:
        self._versions: dict[str, dict[str, list[ServedResource]]] = {}
        for row in resources:
            self._versions.setdefault(row.group, {}).setdefault(row.version, []).append(row)
        for versions in self._versions.values():
            for rows in versions.values():
                rows.sort(key=lambda row: row.name)
        self._kept: dict[tuple[str, ...], bytes] = {}
        self._aggregated: dict[tuple[bool, str], Document] = {}

    def api_versions(self, server_addresses: Sequence[tuple[str, str]]) -> bytes:
        """Return the document of /api; `server_addresses` are pairs of client CIDR and host:port."""
        addresses = [{"clientCIDR": cidr, "serverAddress": address} for cidr, address in server_addresses]
        versions = list(self._versions.get("", {}))
        # the kind stands without apiVersion, as it has since release 1.1
        return _dump({"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": addresses})

    def group_list(self) -> bytes:
        """Return the document of /apis: every group but the core one."""
        if ("apis",) not in self._kept:
            groups = [self._group(name) for name in self._versions if name]
            self._kept["apis",] = _dump({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        return self._kept["apis",]

    def group(self, name: str) -> bytes | None:
        """Return the document of /apis/NAME, or None where there is no such group."""
        if not name or name not in self._versions:
            return None
        if (name,) not in self._kept:
            self._kept[name,] = _dump({"kind": "APIGroup", "apiVersion": "v1", **self._group(name)})
        return self._kept[name,]

    def resource_list(self, group: str, version: str) -> bytes | None:
        """Return the document of /api/VERSION (core) or /apis/GROUP/VERSION, or None where there is none."""
        rows = self._versions.get(group, {}).get(version)
        if rows is None:
            return None
        if (group, version) not in self._kept:
            head: Object = {"kind": "APIResourceList"}
            if group:
                head["apiVersion"] = "v1"  # the core group has none here either
            head["groupVersion"] = f"{group}/{version}" if group else version
            head["resources"] = [entry for row in rows for entry in _resource_entries(row)]
            self._kept[group, version] = _dump(head)
        return self._kept[group, version]

    def aggregated(self, *, core: bool, version: str = "v2") -> Document:
        """Return the aggregated document of /api (`core`) or /apis in apidiscovery.k8s.io `version`.

        The tag is the SHA-512 of the document without kind and apiVersion
        (apiserver pkg/endpoints/discovery/aggregated/etag.go).
        """
        if (core, version) not in self._aggregated:
            items = [self._aggregated_group(name) for name in self._versions if core == (not name)]
            content = {"metadata": {}, "items": items}
            head = {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{version}"}
            etag = hashlib.sha512(orjson.dumps(content)).hexdigest().upper()
            self._aggregated[core, version] = Document(_dump(head | content), etag)
        return self._aggregated[core, version]

    def _group(self, name: str) -> Object:
        versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in self._versions[name]]
        return {"name": name, "versions": versions, "preferredVersion": versions[0]}

    def _aggregated_group(self, name: str) -> Object:
        versions = [
            {"version": version, "resources": [_aggregated_entry(row) for row in rows], "freshness": "Current"}
            for version, rows in self._versions[name].items()
        ]
        return {"metadata": {"name": name} if name else {}, "versions": versions}


def _resource_entries(row: ServedResource) -> Iterable[Object]:
    entry: Object = {
        "name": row.name,
        "singularName": row.singular,
        "namespaced": row.namespaced,
        "kind": row.kind,
        "verbs": row.verbs,
    }
    if row.short_names:
        entry["shortNames"] = row.short_names
    if row.categories:
        entry["categories"] = row.categories
    if row.storage_version_hash:
        entry["storageVersionHash"] = row.storage_version_hash
    yield entry
    for sub in sorted(row.subresources, key=lambda sub: sub.name):
        entry = {"name": f"{row.name}/{sub.name}", "singularName": "", "namespaced": row.namespaced}
        if sub.group:
            entry["group"] = sub.group
        if sub.version:
            entry["version"] = sub.version
        yield entry | {"kind": sub.kind, "verbs": sub.verbs}


def _aggregated_entry(row: ServedResource) -> Object:
    entry: Object = {
        "resource": row.name,
        # group and version stay empty where they are those of the list: clients fill them in
        "responseKind": {"group": "", "version": "", "kind": row.kind},
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular,
        "verbs": row.verbs,
    }
    if row.short_names:
        entry["shortNames"] = row.short_names
    if row.categories:
        entry["categories"] = row.categories
    if row.subresources:
        entry["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": {"group": sub.group, "version": sub.version, "kind": sub.kind},
                "verbs": sub.verbs,
            }
            for sub in sorted(row.subresources, key=lambda sub: sub.name)
        ]
    return entry


def _dump(document: Object) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
