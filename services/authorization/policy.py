"""The RBAC policy in force: roles and bindings, indexed by subject and by role.

Reflectors feed it (`set_role`, `set_binding`, ...), the RBAC authorizer asks it for the `Scope` of a user: what the
bindings of one namespace, or of the whole cluster, give to this user. Scopes are remembered and forgotten as soon as
a binding or role that they rest on changes, so that a decision never outlives the policy it was made on, and ten
thousand bindings of others cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from services.authorization.attributes import SERVICE_ACCOUNT_PREFIX, Attributes
from services.authorization.policy_rules import Grant, Index, PolicyRule, Role

RBAC_GROUP = "rbac.authorization.k8s.io"

REMEMBERED_SCOPES = 4096
"""Bound of the memory for scopes; the oldest is forgotten first."""
MERGE_ABOVE = 4
"""Roles above which a scope merges their indexes into one; below, asking each costs less than a copy."""

NOWHERE = "-"
"""A namespace that cannot exist: where the Role of a ClusterRoleBinding would be, which no role is found for."""

ObjectKey = tuple[str, str]
"""Namespace (empty for the cluster's) and name."""
SubjectKey = str
"""What a user has: "u:" and a user name, or "g:" and a group."""
ScopeKey = tuple[str, tuple[str, ...], str]
"""User name, groups, namespace (empty for the cluster's bindings)."""


class Subject(NamedTuple):
    """Subject of a binding."""

    kind: str
    name: str
    namespace: str

    @property
    def key(self) -> SubjectKey | None:
        """What a user must have for this subject to be them; None where nobody can be."""
        if self.kind == "User":
            return f"u:{self.name}"
        if self.kind == "Group":
            return f"g:{self.name}"
        if self.kind == "ServiceAccount" and self.namespace:
            return f"u:{SERVICE_ACCOUNT_PREFIX}{self.namespace}:{self.name}"
        return None

    def __str__(self) -> str:
        if self.kind == "ServiceAccount":
            return f'ServiceAccount "{self.name}/{self.namespace}"'
        return f'{self.kind} "{self.name}"'


class Binding:
    """A RoleBinding or ClusterRoleBinding."""

    __slots__ = ("key", "label", "role_key", "role_kind", "role_label", "subjects", "title")

    def __init__(self, namespace: str, name: str, role_kind: str, role_name: str, subjects: Iterable[Subject]) -> None:
        """Hold a binding; the subjects' empty namespaces are the binding's own, as kube-apiserver takes them."""
        self.key: ObjectKey = (namespace, name)
        self.label = f"RoleBinding/{namespace}/{name}" if namespace else f"ClusterRoleBinding/{name}"
        title = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
        self.title = f'{title} of {role_kind} "{role_name}"'
        self.role_kind = role_kind
        self.role_key: ObjectKey = (namespace or NOWHERE, role_name) if role_kind == "Role" else ("", role_name)
        self.role_label = f"Role/{namespace}/{role_name}" if role_kind == "Role" else f"{role_kind}/{role_name}"
        self.subjects = tuple(subject._replace(namespace=subject.namespace or namespace) for subject in subjects)

    @classmethod
    def parse(cls, namespace: str, binding: Mapping[str, Any]) -> Binding:
        """Read a stored binding."""
        role = binding.get("roleRef") or {}
        subjects = (
            Subject(subject.get("kind") or "", subject.get("name") or "", subject.get("namespace") or "")
            for subject in binding.get("subjects") or ()
        )
        name = binding["metadata"]["name"]
        return cls(namespace, name, role.get("kind") or "", role.get("name") or "", subjects)

    @property
    def missing_role(self) -> str:
        """The error of a binding whose role is not there, as kube-apiserver's listers word it."""
        if self.role_kind in {"Role", "ClusterRole"}:
            return f'{self.role_kind.lower()}.{RBAC_GROUP} "{self.role_key[1]}" not found'
        return f'unsupported role reference kind: "{self.role_kind}"'


class Entry(NamedTuple):
    """A binding that applies to a user, and what it gives."""

    binding: Binding
    subject: Subject
    """The first of the binding's subjects that is this user."""
    role: Role | None
    """None where the role is missing."""

    @property
    def reason(self) -> str:
        """The reason for what this binding allows, as kube-apiserver words it."""
        return f"RBAC: allowed by {self.binding.title} to {self.subject}"


class Scope:
    """What the bindings of one namespace, or the cluster's, give to one user."""

    __slots__ = ("_by_role", "_index", "_roles", "entries", "errors")

    def __init__(self, entries: Sequence[Entry]) -> None:
        """Hold the entries in the order in which they are asked."""
        self.entries = entries
        self.errors = tuple(entry.binding.missing_role for entry in entries if entry.role is None)
        """What is wrong with the bindings, in their order."""
        self._by_role: dict[Role, tuple[int, Entry]] = {}
        for position, entry in enumerate(entries):
            if entry.role is not None:
                # of several bindings to the same role the first one is the reason, the others add nothing
                self._by_role.setdefault(entry.role, (position, entry))
        self._roles = tuple(self._by_role)
        self._index: Index | None = None
        if len(self._roles) > MERGE_ABOVE:
            self._index = Index()
            for role in reversed(self._roles):
                self._index.overlay(role.index)

    def find(self, attributes: Attributes) -> tuple[Entry, Grant] | None:
        """Return the first binding and rule that allow the action."""
        if self._index is not None:
            grants = list(self._index.find(attributes))
            if not grants:
                return None
            first = min(grants, key=lambda grant: (self._by_role[grant.role][0], grant.position))
            return self._by_role[first.role][1], first
        for role in self._roles:
            grants = list(role.index.find(attributes))
            if grants:
                return self._by_role[role][1], min(grants, key=_position)
        return None


def _position(grant: Grant) -> int:
    return grant.position


class Policy:
    """Roles and bindings, and the scopes made of them."""

    def __init__(self) -> None:
        self._roles: dict[ObjectKey, Role] = {}
        self._bindings: dict[ObjectKey, Binding] = {}
        self._bindings_of_role: dict[ObjectKey, set[ObjectKey]] = {}
        # subject -> namespace -> binding's name -> (binding, position of its first matching subject)
        self._by_subject: dict[SubjectKey, dict[str, dict[str, tuple[Binding, int]]]] = {}
        self._scopes: dict[ScopeKey, Scope] = {}
        self._scopes_of_subject: dict[tuple[SubjectKey, str], set[ScopeKey]] = {}

    def set_role(self, namespace: str, role: Mapping[str, Any]) -> None:
        """Enter or replace a Role, or with an empty namespace a ClusterRole."""
        name = role["metadata"]["name"]
        label = f"Role/{namespace}/{name}" if namespace else f"ClusterRole/{name}"
        rules = [PolicyRule.parse(rule) for rule in role.get("rules") or ()]
        self._roles[(namespace, name)] = Role(label, rules)
        self._forget_role((namespace, name))

    def remove_role(self, namespace: str, name: str) -> None:
        """Take a role out; bindings to it give nothing from now on."""
        self._roles.pop((namespace, name), None)
        self._forget_role((namespace, name))

    def set_binding(self, namespace: str, binding: Mapping[str, Any]) -> None:
        """Enter or replace a RoleBinding, or with an empty namespace a ClusterRoleBinding."""
        parsed = Binding.parse(namespace, binding)
        self.remove_binding(*parsed.key)
        self._bindings[parsed.key] = parsed
        self._bindings_of_role.setdefault(parsed.role_key, set()).add(parsed.key)
        for position, subject in enumerate(parsed.subjects):
            key = subject.key
            if key is not None:
                named = self._by_subject.setdefault(key, {}).setdefault(namespace, {})
                named.setdefault(parsed.key[1], (parsed, position))
        self._forget_binding(parsed)

    def remove_binding(self, namespace: str, name: str) -> None:
        """Take a binding out."""
        binding = self._bindings.pop((namespace, name), None)
        if binding is None:
            return
        _discard(self._bindings_of_role, binding.role_key, binding.key)
        for key in _subject_keys(binding):
            spaces = self._by_subject[key]
            spaces[namespace].pop(name, None)
            if not spaces[namespace]:
                del spaces[namespace]
            if not spaces:
                del self._by_subject[key]
        self._forget_binding(binding)

    def scope(self, username: str, groups: tuple[str, ...], namespace: str) -> Scope:
        """Return what the bindings of a namespace, or with an empty one the cluster's, give to a user."""
        key = (username, groups, namespace)
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._remember(key, Scope(list(self._entries(username, groups, namespace))))
        return scope

    def other_scopes(self, username: str, groups: tuple[str, ...], namespace: str) -> Iterator[tuple[str, Entry]]:
        """Yield what the user has in other namespaces than this one, for the near misses of a denial."""
        for key in _user_keys(username, groups):
            for space, named in self._by_subject.get(key, {}).items():
                if space and space != namespace:
                    for binding, position in named.values():
                        yield space, Entry(binding, binding.subjects[position], self._roles.get(binding.role_key))

    def _entries(self, username: str, groups: tuple[str, ...], namespace: str) -> Iterator[Entry]:
        applying: dict[str, tuple[Binding, int]] = {}
        for key in _user_keys(username, groups):
            for name, (binding, position) in self._by_subject.get(key, {}).get(namespace, {}).items():
                known = applying.get(name)
                if known is None or position < known[1]:
                    applying[name] = (binding, position)
        # kube-apiserver asks in the order of its cache, which is random; names make ours repeatable
        for _, (binding, position) in sorted(applying.items()):
            known_kind = binding.role_kind in {"Role", "ClusterRole"}
            role = self._roles.get(binding.role_key) if known_kind else None
            yield Entry(binding, binding.subjects[position], role)

    def _remember(self, key: ScopeKey, scope: Scope) -> Scope:
        if len(self._scopes) >= REMEMBERED_SCOPES:
            self._forget(next(iter(self._scopes)))
        self._scopes[key] = scope
        for subject in _user_keys(key[0], key[1]):
            self._scopes_of_subject.setdefault((subject, key[2]), set()).add(key)
        return scope

    def _forget(self, key: ScopeKey) -> None:
        if self._scopes.pop(key, None) is not None:
            for subject in _user_keys(key[0], key[1]):
                _discard(self._scopes_of_subject, (subject, key[2]), key)

    def _forget_binding(self, binding: Binding) -> None:
        for subject in _subject_keys(binding):
            for key in tuple(self._scopes_of_subject.get((subject, binding.key[0]), ())):
                self._forget(key)

    def _forget_role(self, role: ObjectKey) -> None:
        for key in self._bindings_of_role.get(role, ()):
            self._forget_binding(self._bindings[key])


def _user_keys(username: str, groups: Sequence[str]) -> set[SubjectKey]:
    return {f"u:{username}", *(f"g:{group}" for group in groups)}


def _subject_keys(binding: Binding) -> set[SubjectKey]:
    return {key for subject in binding.subjects if (key := subject.key) is not None}


def _discard(sets: dict[Any, set[Any]], key: Any, member: Any) -> None:
    """Take a member out of one of many sets, and the set with its last member."""
    members = sets.get(key)
    if members is not None:
        members.discard(member)
        if not members:
            del sets[key]
