"""All objects in memory, in key order.

The watch cache writes it as it follows etcd; gets, lists and the initial events of watches read it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from services.storage.entries import Entry
from services.storage.keys import end_of


class _Bucket:
    """Keys and entries side by side, so that a range of keys is a slice of ready entries."""

    __slots__ = ("entries", "keys")

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.entries: list[Entry] = []


class Table:
    """Objects by key, and in key order per first segment of the key ("pods", "services", "example.com")."""

    def __init__(self, root: str) -> None:
        self._root = len(root)
        self._by_key: dict[str, Entry] = {}
        self._buckets: dict[str, _Bucket] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: str) -> Entry | None:
        """The object at a key."""
        return self._by_key.get(key)

    def put(self, entry: Entry) -> Entry | None:
        """Set the object at its key; returns the one before."""
        key = entry.key
        previous = self._by_key.get(key)
        self._by_key[key] = entry
        segment = self._segment(key)
        bucket = self._buckets.get(segment)
        if bucket is None:
            bucket = self._buckets[segment] = _Bucket()
        keys = bucket.keys
        if previous is None and (not keys or key > keys[-1]):
            keys.append(key)
            bucket.entries.append(entry)
            return None
        at = bisect_left(keys, key)
        if previous is not None:
            bucket.entries[at] = entry
        else:
            keys.insert(at, key)
            bucket.entries.insert(at, entry)
        return previous

    def remove(self, key: str) -> Entry | None:
        """Remove the object at a key and return it."""
        previous = self._by_key.pop(key, None)
        if previous is not None:
            segment = self._segment(key)
            bucket = self._buckets[segment]
            at = bisect_left(bucket.keys, key)
            del bucket.keys[at]
            del bucket.entries[at]
            if not bucket.keys:
                del self._buckets[segment]
        return previous

    def within(self, prefix: str, start: str = "") -> list[Entry]:
        """Objects whose key starts with the prefix (and is not before start), in key order: a copy."""
        bucket = self._buckets.get(self._segment(prefix))
        if bucket is None:
            return []
        low = bisect_left(bucket.keys, max(prefix, start))
        return bucket.entries[low : bisect_left(bucket.keys, end_of(prefix), low)]

    def keys(self) -> Iterator[str]:
        """All keys, in no particular order."""
        return iter(self._by_key)

    def counts(self) -> Iterable[tuple[str, int]]:
        """Number of objects per first segment, for metrics."""
        return [(segment, len(bucket.keys)) for segment, bucket in self._buckets.items()]

    def _segment(self, key: str) -> str:
        end = key.find("/", self._root)
        return key[self._root : end] if end >= 0 else key[self._root :]
