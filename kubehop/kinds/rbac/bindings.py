"""What role bindings of both scopes have in common: cells, defaults, and that they keep their role."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill, items, struct
from kubehop.kinds.printing import age, name
from kubehop.kinds.rbac.names import RBACStrategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, names

Object = dict[str, Any]


def cells(obj: Object, now: float) -> list[Any]:
    """Return the cells of a binding: its role and, for wide output, its subjects by kind."""
    role = obj.get("roleRef") or {}
    subjects: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        kind, found = subject.get("kind"), subject.get("name") or ""
        if kind == "ServiceAccount":
            namespace = subject.get("namespace")
            found = f"{namespace}/{found}" if namespace else found
        if kind in subjects:
            subjects[kind].append(found)
    return [
        name(obj),
        f"{role.get('kind') or ''}/{role.get('name') or ''}",
        age(obj, now),
        *(", ".join(found) for found in subjects.values()),
    ]


_GROUP = "rbac.authorization.k8s.io"


class BindingStrategy(RBACStrategy):
    """Bindings are for one role all their life."""

    def default(self, obj: Object) -> None:
        """Fill in the API groups of the role and the subjects."""
        fill(struct(obj, "roleRef"), apiGroup=_GROUP)
        for subject in items(obj, "subjects"):
            if subject.get("kind") in ("User", "Group"):
                fill(subject, apiGroup=_GROUP)

    def check(self, obj: Object) -> Errors:
        """Check the role and every subject."""
        yield from self._role(obj.get("roleRef") or {})
        for index, subject in enumerate(obj.get("subjects") or ()):
            path = fields.Path("subjects").index(index)
            yield from _subject(subject, path, namespaced=self.resource.namespaced)

    def _role(self, reference: Object) -> Errors:
        path = fields.Path("roleRef")
        group, kind, role = (reference.get(key) or "" for key in ("apiGroup", "kind", "name"))
        if group != _GROUP:
            yield fields.not_supported(path.child("apiGroup"), group, [_GROUP])
        kinds = ["Role", "ClusterRole"] if self.resource.namespaced else ["ClusterRole"]
        if kind not in kinds:
            yield fields.not_supported(path.child("kind"), kind, kinds)
        if not role:
            yield fields.required(path.child("name"))
        for message in names.path_segment_name(role) if role else ():
            yield fields.invalid(path.child("name"), role, message)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the role."""
        if new.get("roleRef") != old.get("roleRef"):
            reference = new.get("roleRef") or {}
            # kube-apiserver prints its internal struct here, whose fields have no JSON names
            shown = {"APIGroup": "apiGroup", "Kind": "kind", "Name": "name"}
            value = {name: reference.get(field) or "" for name, field in shown.items()}
            yield fields.invalid(fields.Path("roleRef"), value, "cannot change roleRef")


def _subject(subject: Object, path: fields.Path, *, namespaced: bool) -> Errors:
    found, group, kind = (subject.get(key) or "" for key in ("name", "apiGroup", "kind"))
    if not found:
        yield fields.required(path.child("name"))
    if kind == "ServiceAccount":
        for message in names.name_is_dns_subdomain(found, False) if found else ():
            yield fields.invalid(path.child("name"), found, message)
        if group:
            yield fields.not_supported(path.child("apiGroup"), group, [""])
        if not namespaced and not subject.get("namespace"):
            yield fields.required(path.child("namespace"))
    elif kind in ("User", "Group"):
        if group != _GROUP:
            yield fields.not_supported(path.child("apiGroup"), group, [_GROUP])
    else:
        yield fields.not_supported(path.child("kind"), kind, ["ServiceAccount", "User", "Group"])
