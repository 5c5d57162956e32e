"""Which objects of a collection a list or watch keeps: label and field selectors as one thing.

The servicer parses the contract's texts; lists and watch groups ask `matches`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from kubehop.machinery.selectors import fields as field_selectors
from kubehop.machinery.selectors import labels as label_selectors
from services.storage.entries import Entry
from services.storage.errors import InvalidError

_EQUALITIES: Final = frozenset(
    {label_selectors.Operator.EQUALS, label_selectors.Operator.DOUBLE_EQUALS, label_selectors.Operator.IN}
)


class Selection:
    """A label selector and a field selector over one resource; equal when their texts are."""

    __slots__ = ("_field_names", "_fields", "_identity", "_labels", "_resource_prefix", "everything")

    def __init__(self, labels: str, fields: str, resource_prefix: str) -> None:
        """Parse the selectors.

        Raises:
            InvalidError: a text is not a selector.
        """
        try:
            self._labels = label_selectors.parse(labels) if labels else None
            self._fields = field_selectors.parse(fields) if fields else None
        except ValueError as error:
            raise InvalidError(str(error)) from None
        self._field_names = tuple(sorted({r.field for r in self._fields.requirements})) if self._fields else ()
        self._resource_prefix = resource_prefix
        self._identity = (labels, fields, resource_prefix)
        self.everything = self._labels is None and self._fields is None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selection) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def matches(self, entry: Entry) -> bool:
        """Whether the object is kept.

        Raises:
            CorruptError: the object cannot be decoded.
        """
        if self._labels is not None and not self._labels.matches(entry.labels):
            return False
        return self._fields is None or self._fields.matches(entry.fields(self._field_names, self._resource_prefix))

    def of(self, entries: list[Entry]) -> list[Entry]:
        """The objects kept, in order. The same as asking `matches` for each, for lists of thousands.

        Raises:
            CorruptError: an object cannot be decoded.
        """
        if self._labels is not None:
            for requirement in self._labels.requirements:
                entries = _meeting(requirement, entries)
        if self._fields is not None:
            matches, names, prefix = self._fields.matches, self._field_names, self._resource_prefix
            entries = [entry for entry in entries if matches(entry.fields(names, prefix))]
        return entries


def _meeting(requirement: label_selectors.Requirement, entries: list[Entry]) -> list[Entry]:
    key, values = requirement.key, requirement.values
    if requirement.operator in _EQUALITIES and len(values) == 1:
        # nearly all selectors are like this
        value = values[0]
        return [entry for entry in entries if (entry.known_labels or entry.labels).get(key) == value]
    matches = requirement.matches
    return [entry for entry in entries if matches(entry.labels)]


@lru_cache(maxsize=1024)
def selection(labels: str, fields: str, resource_prefix: str) -> Selection:
    """Parse selectors, or find them parsed: clients repeat themselves."""
    return Selection(labels, fields, resource_prefix)
