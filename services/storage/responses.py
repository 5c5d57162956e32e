"""Answers whose bytes are put together by hand, because the objects in them are ready and should be copied once.

The servicer hands them to the transport, which asks every answer for `SerializeToString` and for nothing else. The
field numbers are those of storage.proto; a test holds these bytes against the generated messages.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from kubehop.pb.storage.v1 import SOURCE_CACHE, SOURCE_STORE, ListHeader, ListResponse
from services.storage.entries import Entry
from services.storage.lists import Listing

CHUNK_BYTES = 256 * 1024
PAGE_BYTES = 256 * 1024
"""Items of a list that still go out in one answer; a larger one would hold up the others on an exchange lane."""


class Encoded:
    """A message that is serialized already."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def SerializeToString(self) -> bytes:  # noqa: N802 - the name that protobuf gives it
        """The message's bytes."""
        return self._data


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def get_response(entry: Entry, *, from_store: bool) -> Encoded:
    """GetResponse: object 1, revision 2, source 3, store_key 4."""
    head, body, key = entry.head, entry.body, entry.key.encode()
    return Encoded(
        b"".join(
            (
                b"\x0a",
                _varint(len(head) + len(body)),
                head,
                body,
                b"\x10",
                _varint(entry.revision),
                b"\x18\x02\x22" if from_store else b"\x18\x01\x22",
                _varint(len(key)),
                key,
            )
        )
    )


def page_response(listing: Listing, *, with_type_meta: bool) -> Encoded:
    """ListPageResponse: header 1, items 2, count 3; without a header when the list is to be streamed."""
    entries = listing.entries
    bodies = [entry.body for entry in entries]
    sizes = list(map(len, bodies))
    if sum(sizes) > PAGE_BYTES:
        return _STREAM_IT
    _check(entries, sizes)
    header = _header(listing).SerializeToString()
    parts = [b"\x0a", _varint(len(header)), header]
    if bodies:
        heads = _heads(entries) if with_type_meta else b"{"
        if heads is None:
            items = b",".join([entry.head + entry.body for entry in entries])
        else:
            items = heads + (b"," + heads).join(bodies)
        parts += (b"\x12", _varint(len(items)), items, b"\x18", _varint(len(bodies)))
    return Encoded(b"".join(parts))


_STREAM_IT = Encoded(b"")


def _header(listing: Listing) -> ListHeader:
    return ListHeader(
        revision=listing.revision,
        continue_token=listing.continue_token,
        remaining_item_count=listing.remaining,
        source=SOURCE_STORE if listing.from_store else SOURCE_CACHE,
    )


def _check(entries: list[Entry], sizes: list[int]) -> None:
    if 0 in sizes:
        # one that cannot be decoded fails the list, as it does in kube-apiserver: a list never lacks an object silently
        entries[sizes.index(0)].check()


def list_responses(listing: Listing, *, with_type_meta: bool) -> Iterator[Encoded]:
    """ListResponse: the header, then chunks of about CHUNK_BYTES."""
    yield Encoded(ListResponse(header=_header(listing)).SerializeToString())
    entries = listing.entries
    if not entries:
        return
    bodies = [entry.body for entry in entries]
    sizes = list(map(len, bodies))
    _check(entries, sizes)
    heads = _heads(entries) if with_type_meta else b"{"
    ends = list(accumulate(sizes))
    begin = base = 0
    while begin < len(bodies):
        end = max(bisect_right(ends, base + CHUNK_BYTES, lo=begin), begin + 1)
        if heads is None:
            yield _framed(b"", b",".join([entry.head + entry.body for entry in entries[begin:end]]), end - begin)
        else:
            yield _framed(heads, (b"," + heads).join(bodies[begin:end]), end - begin)
        begin, base = end, ends[end - 1]


def _heads(entries: list[Entry]) -> bytes | None:
    """The head that all have; None where one collection holds several versions."""
    head = entries[0].head
    return head if all(entry.head is head or entry.head == head for entry in entries) else None


def _framed(head: bytes, items: bytes, count: int) -> Encoded:
    """ListResponse: chunk 2; ListChunk: items 1 (head and items together), count 2."""
    tail = b"\x10" + _varint(count)
    size = len(head) + len(items)
    item_head = b"\x0a" + _varint(size)
    length = len(item_head) + size + len(tail)
    return Encoded(b"".join((b"\x12", _varint(length), item_head, head, items, tail)))
