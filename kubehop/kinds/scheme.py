"""The scheme: which kinds can be read from a request, and which of them are versions of one another.

`kubehop.machinery.decoding` asks it. Beside the kinds of the catalogue it knows those that subresources speak (Scale,
Eviction, Binding) and the types of meta.k8s.io.
"""

from __future__ import annotations

from kubehop.kinds import definitions, schemas
from kubehop.machinery.objects import META_GROUP, GroupVersionKind
from kubehop.machinery.schema import Schema

# kinds that moved: the group that keeps them
_SHARED = {("events.k8s.io", "Event"): ""}


class Scheme:
    """The built-in kinds."""

    name = "pkg/api/legacyscheme/scheme.go:30"
    """What kube-apiserver calls its scheme in messages: where it is made."""

    def schema(self, group: str, version: str, kind: str) -> Schema | None:
        """Return the schema of a kind, None for one that nobody knows."""
        try:
            return schemas.schema_for(group, version, kind)
        except KeyError:
            return None

    def convertible(self, actual: GroupVersionKind, expected: GroupVersionKind) -> bool:
        """Tell whether one can be turned into the other: the same kind in a version that is known."""
        if actual.kind != expected.kind:
            return False
        home = _SHARED.get((actual.group, actual.kind), actual.group)
        return home == _SHARED.get((expected.group, expected.kind), expected.group) and self._known(actual)

    def _known(self, kind: GroupVersionKind) -> bool:
        return kind.group == META_GROUP or tuple(kind) in definitions.kinds()


SCHEME = Scheme()
