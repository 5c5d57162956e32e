"""The query of a URL, parsed as Go's url.ParseQuery does: first value wins, malformed pairs are left out.

Used by the request context; verbs and endpoints read parameters through it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_plus

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Query(Mapping[str, str]):
    """Parameters by name. As a mapping it gives the first value of each."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, list[str]]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> str:
        return self._values[key][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def all(self, key: str) -> list[str]:
        """Return all values of a parameter, in order."""
        return self._values.get(key, [])


NO_PARAMETERS = Query({})


def parse_query(text: str) -> Query:
    """Parse what follows the question mark."""
    values: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if not pair or ";" in pair or _BAD_ESCAPE.search(pair):
            continue
        key, _, value = pair.partition("=")
        if "%" in pair or "+" in pair:
            key, value = unquote_plus(key), unquote_plus(value)
        values.setdefault(key, []).append(value)
    return Query(values)
