"""The pure parts: table, history, answers put together by hand, continue tokens, leases."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.pb.storage.v1 import (
    EVENT_TYPE_ADDED,
    EVENT_TYPE_DELETED,
    EVENT_TYPE_MODIFIED,
    SOURCE_CACHE,
    SOURCE_STORE,
    GetResponse,
    ListPageResponse,
    ListResponse,
    WatchResponse,
)
from services.storage import continuation
from services.storage.entries import Entry
from services.storage.errors import InvalidError
from services.storage.history import Event, History
from services.storage.leases import Leases
from services.storage.lists import Listing, parse_revision
from services.storage.responses import PAGE_BYTES, get_response, list_responses, page_response
from services.storage.selection import Selection
from services.storage.settings import HistorySettings, LeaseSettings
from services.storage.table import Table

keys = st.sampled_from(
    [f"/registry/{resource}/{name}" for resource in ("a", "b", "b.io/x") for name in ("n/1", "n/2", "n-/1", "m/é", "q")]
)


def entry(key: str, revision: int = 1, size: int = 10) -> Entry:
    value = b'{"kind":"K","apiVersion":"v1","metadata":{"name":"x"},"d":"%b"}' % (b"x" * size)
    return Entry(key, value, revision)


@given(st.lists(st.tuples(st.booleans(), keys), max_size=40))
def test_table_is_a_sorted_map(steps: list[tuple[bool, str]]) -> None:
    """Whatever is put and removed, ranges are what a sorted dict would give."""
    table, model = Table("/registry/"), dict[str, Entry]()
    for put, key in steps:
        if put:
            new = entry(key)
            assert table.put(new) is model.get(key)
            model[key] = new
        else:
            assert table.remove(key) is model.pop(key, None)
    assert len(table) == len(model)
    for prefix in ("/registry/a/", "/registry/a/n/", "/registry/b/", "/registry/b.io/x/", "/registry/none/"):
        expected = [model[key] for key in sorted(model) if key.startswith(prefix)]
        assert table.within(prefix) == expected
        start = prefix + "n/1\x00"
        assert table.within(prefix, start) == [found for found in expected if found.key >= start]
    assert all(table.get(key) is found for key, found in model.items())


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 50)), max_size=60),
    st.integers(1, 20),
    st.integers(0, 500),
)
def test_history_keeps_its_bounds(batches: list[tuple[int, int]], most: int, size: int) -> None:
    """The history never exceeds its bounds, forgets oldest first, and never splits a revision."""
    history = History(HistorySettings(events=most, bytes=size, seconds=100.0), floor=1)
    everything: list[Event] = []
    revision = 1
    for number, (events, length) in enumerate(batches):
        revision += 1
        for _ in range(events):
            event = Event(revision, "/registry/a/b", entry("/registry/a/b", 1, length), None, float(number))
            history.append(event)
            everything.append(event)
        history.trim(float(number))
        kept = [event for event in everything if event.revision > history.floor]
        assert list(history.after(history.floor)) == kept
        assert len(history) == len(kept) <= most
        assert history.bytes == sum(len(event.previous.body) for event in kept if event.previous) <= size
        middle = (history.floor + revision) // 2
        assert list(history.after(middle)) == [event for event in everything if event.revision > middle]
    history.trim(1000.0)
    assert (len(history), history.bytes, history.floor) == (0, 0, revision)


def test_events_are_serialized_once() -> None:
    """An event is the same bytes for all, and joined responses are one response."""
    old, new = entry("/registry/a/b", 5), entry("/registry/a/b", 6)
    event = Event(6, "/registry/a/b", old, new, 0.0)
    modified = event.encoded(EVENT_TYPE_MODIFIED)
    assert event.encoded(EVENT_TYPE_MODIFIED) is modified
    deleted = event.encoded(EVENT_TYPE_DELETED)
    joined = WatchResponse.FromString(modified + deleted + event.encoded(EVENT_TYPE_ADDED)).events
    assert [found.type for found in joined] == [EVENT_TYPE_MODIFIED, EVENT_TYPE_DELETED, EVENT_TYPE_ADDED]
    assert [found.object for found in joined] == [new.json, old.json_at(6), new.json]
    assert {found.revision for found in joined} == {6}


@given(st.integers(1, 2**63 - 1), st.integers(0, 300), st.booleans())
def test_get_response_is_the_message(revision: int, size: int, from_store: bool) -> None:
    """The bytes put together are those of the generated message."""
    found = entry("/registry/a/é", revision, size)
    message = GetResponse(
        object=found.json,
        revision=revision,
        source=SOURCE_STORE if from_store else SOURCE_CACHE,
        store_key="/registry/a/é",
    )
    assert get_response(found, from_store=from_store).SerializeToString() == message.SerializeToString()


@given(st.lists(st.integers(0, 200_000), max_size=12), st.booleans(), st.booleans())
def test_list_responses_are_messages(sizes: list[int], typed: bool, mixed: bool) -> None:
    """The chunks decode, hold every object once and in order, and are of about the intended size."""
    entries = [entry(f"/registry/a/{n}", n + 1, size) for n, size in enumerate(sizes)]
    if mixed and entries:
        entries[-1] = Entry("/registry/a/z", b'{"kind":"K","apiVersion":"v2","metadata":{}}', 99)
    listing = Listing(entries, 5, "token", 7)
    responses = [ListResponse.FromString(r.SerializeToString()) for r in list_responses(listing, with_type_meta=typed)]
    header = responses[0].header
    assert (header.revision, header.continue_token, header.remaining_item_count) == (5, "token", 7)
    chunks = [response.chunk for response in responses[1:]]
    assert sum(chunk.count for chunk in chunks) == len(entries)
    expected = b",".join(found.json if typed else b"{" + found.body for found in entries)
    assert b",".join(chunk.items for chunk in chunks) == expected
    assert all(len(chunk.items) < 480_000 for chunk in chunks)


@given(st.lists(st.integers(0, 100_000), max_size=8), st.booleans(), st.booleans())
def test_small_lists_are_one_message(sizes: list[int], typed: bool, mixed: bool) -> None:
    """A list that fits is the header and all its items; one that does not has no header."""
    entries = [entry(f"/registry/a/{n}", n + 1, size) for n, size in enumerate(sizes)]
    if mixed and entries:
        entries[-1] = Entry("/registry/a/z", b'{"kind":"K","apiVersion":"v2","metadata":{}}', 99)
    answer = page_response(Listing(entries, 5, "token", 7), with_type_meta=typed).SerializeToString()
    page = ListPageResponse.FromString(answer)
    if sum(len(found.body) for found in entries) > PAGE_BYTES:
        assert not answer
        return
    assert (page.header.revision, page.header.continue_token, page.header.remaining_item_count) == (5, "token", 7)
    assert page.count == len(entries)
    assert page.items == b",".join(found.json if typed else b"{" + found.body for found in entries)


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2", ""]), max_size=3)


@given(
    st.lists(LABELS, max_size=12),
    st.sampled_from(["a=1", "a==1,b!=2", "a in (1,2)", "a in (1)", "b notin (1)", "c", "!c,a=2", "a>1", "b="]),
    st.sampled_from(["", "metadata.name!=3", "spec.x=y"]),
)
def test_selecting_many_is_selecting_each(labels: list[dict[str, str]], by_label: str, by_field: str) -> None:
    """The way for lists keeps what the way for one object keeps."""
    entries = [
        Entry(f"/registry/a/n/{n}", orjson.dumps({"metadata": {"labels": each}, "spec": {"x": "y"}}), n + 1)
        for n, each in enumerate(labels)
    ]
    selected = Selection(by_label, by_field, "/registry/a/")
    assert selected.of(entries) == [found for found in entries if selected.matches(found)]


def test_continue_tokens() -> None:
    """Tokens are kube-apiserver's: one of its own is read, and ours reads the same."""
    token = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiJhXHUwMDAwIn0"
    prefix = "/registry/configmaps/default/"
    assert continuation.decode(token, prefix) == (f"{prefix}a\x00", 5)
    assert continuation.encode(f"{prefix}a\x00", prefix, 5) == token
    inconsistent = continuation.encode(f"{prefix}a\x00", prefix, continuation.LATEST)
    assert continuation.decode(inconsistent, prefix).revision == continuation.LATEST


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("abc", 'strconv.ParseUint: parsing "abc": invalid syntax'),
        ("-1", 'strconv.ParseUint: parsing "-1": invalid syntax'),
        ("1" * 30, "value out of range"),
    ],
)
def test_bad_revisions(text: str, why: str) -> None:
    """What is no revision is refused in Go's words."""
    with pytest.raises(InvalidError) as caught:
        parse_revision(text)
    assert caught.value.message == f'resourceVersion: Invalid value: "{text}": {why}' or why in caught.value.message


async def test_leases_are_shared_while_they_fit() -> None:
    """Objects share a lease of about the same end, up to a number, and never one that ends too early."""
    granted: list[int] = []

    async def grant(ttl: int) -> int:
        granted.append(ttl)
        return len(granted)

    leases = Leases(grant, LeaseSettings(objects=3))
    assert [await leases.lease(3600) for _ in range(4)] == [1, 1, 1, 2]
    assert await leases.lease(7200) == 3
    assert await leases.lease(60) == 4
    leases.forget()
    assert await leases.lease(60) == 5
    assert granted == [3660, 3660, 7260, 63, 63]
