"""One PolicyRule and one role, compiled for look-up; matching exactly as kube-apiserver's.

Rules match as in pkg/apis/rbac/v1 evaluation_helpers: "*" for any verb, group, resource or path; "pods/log" for a
subresource and "*/scale" for that subresource of every resource (but "pods/*" is no wildcard); resource names limit
a rule; a path may end in "*". A role becomes an index from what is asked to the first rule that grants it, so that a
check costs a handful of dict look-ups however many rules there are. Used by `policy` and by the node authorizer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from services.authorization.attributes import Attributes, NonResourceRule, ResourceRule

ALL = "*"


class PolicyRule(NamedTuple):
    """rbac.authorization.k8s.io/v1 PolicyRule."""

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = ()

    @classmethod
    def parse(cls, rule: Mapping[str, Any]) -> PolicyRule:
        """Read a rule of a stored role."""

        def strings(key: str) -> tuple[str, ...]:
            return tuple(rule.get(key) or ())

        return cls(
            strings("verbs"),
            strings("apiGroups"),
            strings("resources"),
            strings("resourceNames"),
            strings("nonResourceURLs"),
        )

    def to_json(self) -> str:
        """Write the rule as evidence shows it, empty lists left out."""
        fields = {
            "verbs": self.verbs,
            "apiGroups": self.api_groups,
            "resources": self.resources,
            "resourceNames": self.resource_names,
            "nonResourceURLs": self.non_resource_urls,
        }
        return orjson.dumps({key: value for key, value in fields.items() if value}).decode()

    def listed(self) -> tuple[ResourceRule | None, NonResourceRule | None]:
        """Return the rule's two halves as access reviews list them."""
        return (
            ResourceRule(self.verbs, self.api_groups, self.resources, self.resource_names) if self.resources else None,
            NonResourceRule(self.verbs, self.non_resource_urls) if self.non_resource_urls else None,
        )

    def has_verb(self, verb: str) -> bool:
        """Tell whether the rule has the verb."""
        return ALL in self.verbs or verb in self.verbs

    def has_group(self, group: str) -> bool:
        """Tell whether the rule has the API group."""
        return ALL in self.api_groups or group in self.api_groups

    def has_resource(self, combined: str, subresource: str) -> bool:
        """Tell whether the rule has the resource, or the subresource of every resource."""
        if ALL in self.resources or combined in self.resources:
            return True
        return bool(subresource) and f"*/{subresource}" in self.resources

    def has_name(self, name: str) -> bool:
        """Tell whether the rule is for this name or for all."""
        return not self.resource_names or name in self.resource_names

    def has_path(self, path: str) -> bool:
        """Tell whether the rule is for this path."""
        return any(
            url in {ALL, path} or (url.endswith(ALL) and path.startswith(url.rstrip(ALL)))
            for url in self.non_resource_urls
        )

    def allows(self, attributes: Attributes) -> bool:
        """Tell whether the rule allows the action; the definition that the indexes below are held against."""
        if not self.has_verb(attributes.verb):
            return False
        if not attributes.resource_request:
            return self.has_path(attributes.path)
        return (
            self.has_group(attributes.api_group)
            and self.has_resource(attributes.combined_resource, attributes.subresource)
            and self.has_name(attributes.name)
        )


class Grant(NamedTuple):
    """One rule of one role, as an index finds it."""

    role: Role
    position: int
    """Position of the rule in its role: of several that match, the first one is the reason."""

    @property
    def rule(self) -> PolicyRule:
        """The rule itself."""
        return self.role.rules[self.position]


ResourceKey = tuple[str, str, str]
"""Verb, API group, combined resource; each may be "*"."""
NamedKey = tuple[str, str, str, str]
"""The same with a resource name."""
PathKey = tuple[str, str]
"""Verb and path."""


class Index:
    """From what is asked to the grant that allows it; of a role, or of all roles of a user."""

    __slots__ = ("named", "paths", "prefixes", "resources")

    def __init__(self) -> None:
        self.resources: dict[ResourceKey, Grant] = {}
        self.named: dict[NamedKey, Grant] = {}
        self.paths: dict[PathKey, Grant] = {}
        self.prefixes: dict[PathKey, Grant] = {}

    def add(self, rule: PolicyRule, grant: Grant) -> None:
        """Enter a rule; rules entered before it go first."""
        for verb in rule.verbs:
            for group in rule.api_groups:
                for resource in rule.resources:
                    if not rule.resource_names:
                        self.resources.setdefault((verb, group, resource), grant)
                    for name in rule.resource_names:
                        self.named.setdefault((verb, group, resource, name), grant)
            for url in rule.non_resource_urls:
                self.paths.setdefault((verb, url), grant)
                if url.endswith(ALL):
                    self.prefixes.setdefault((verb, url.rstrip(ALL)), grant)

    def overlay(self, other: Index) -> None:
        """Put another index before this one: where both have an answer, the other's counts."""
        self.resources.update(other.resources)
        self.named.update(other.named)
        self.paths.update(other.paths)
        self.prefixes.update(other.prefixes)

    def find(self, attributes: Attributes) -> Iterator[Grant]:
        """Yield the grants that allow the action: not all, but the first of each way to match it is among them."""
        verb = attributes.verb
        if not attributes.resource_request:
            yield from self._find_path(verb, attributes.path)
            return
        resources, named = self.resources, self.named
        subresource, name = attributes.subresource, attributes.name
        wanted = (
            (f"{attributes.resource}/{subresource}", ALL, f"*/{subresource}")
            if subresource
            else (attributes.resource, ALL)
        )
        for group in (attributes.api_group, ALL):
            for resource in wanted:
                for asked in (verb, ALL):
                    if (grant := resources.get((asked, group, resource))) is not None:
                        yield grant
                    if named and (grant := named.get((asked, group, resource, name))) is not None:
                        yield grant

    def _find_path(self, verb: str, path: str) -> Iterator[Grant]:
        for asked in (verb, ALL):
            for url in (path, ALL):
                if (grant := self.paths.get((asked, url))) is not None:
                    yield grant
        for (asked, prefix), grant in self.prefixes.items():
            if asked in {verb, ALL} and path.startswith(prefix):
                yield grant


class Role:
    """A Role or ClusterRole: its rules in order and, once it is asked for, their index."""

    __slots__ = ("_index", "_json", "label", "rules")

    def __init__(self, label: str, rules: Sequence[PolicyRule]) -> None:
        """Hold the rules; the label names the role in evidence, for example "ClusterRole/view"."""
        self.label = label
        self.rules = tuple(rules)
        self._index: Index | None = None
        self._json: dict[int, str] = {}

    def rule_json(self, position: int) -> str:
        """Write one rule as evidence shows it, remembered because the same rules decide again and again."""
        text = self._json.get(position)
        if text is None:
            text = self._json[position] = self.rules[position].to_json()
        return text

    @property
    def index(self) -> Index:
        """The role's index, compiled on first use."""
        if self._index is None:
            self._index = Index()
            for position, rule in enumerate(self.rules):
                self._index.add(rule, Grant(self, position))
        return self._index
