"""resourceVersion in bytes: the same as setting it in the decoded object, whatever the object looks like."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.storage import documents
from services.storage.documents import MalformedError
from services.storage.entries import Entry
from services.storage.errors import CorruptError

# text that looks like what the splicing looks for
lookalikes = st.sampled_from(
    [
        '"metadata":{',
        '\\"metadata\\":{',
        "metadata",
        "resourceVersion",
        '"resourceVersion":"1"',
        "}",
        "{",
        "\\",
        '"',
        ",",
    ]
)
texts = st.one_of(lookalikes, st.text(max_size=12))
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), texts)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
metadata = st.dictionaries(
    st.one_of(st.sampled_from(["name", "uid", "labels", "resourceVersion", "metadata"]), texts), values, max_size=5
)
objects = st.builds(
    lambda items, meta, place: dict([*items[:place], ("metadata", meta), *items[place:]]),
    st.lists(st.tuples(st.one_of(st.sampled_from(["kind", "apiVersion", "spec", "data"]), texts), values), max_size=5),
    metadata,
    st.integers(0, 5),
).filter(lambda found: isinstance(found["metadata"], dict))


def edited(value: dict[str, Any], revision: int) -> dict[str, Any]:
    inner = {key: item for key, item in value["metadata"].items() if key != "resourceVersion"}
    return {**value, "metadata": {"resourceVersion": str(revision), **inner}}


@given(objects, st.integers(1, 2**63 - 1), st.sampled_from(["compact", "spaced", "indented", "escaped"]))
def test_splicing_equals_editing(value: dict[str, Any], revision: int, form: str) -> None:
    """The served bytes decode to the object with metadata.resourceVersion set, in whatever form it was written."""
    raw = {
        "compact": lambda: orjson.dumps(value),
        "spaced": lambda: json.dumps(value, ensure_ascii=False).encode(),
        "indented": lambda: json.dumps(value, indent=2).encode() + b"\n",
        "escaped": lambda: json.dumps(value).encode() + b" \n",
    }[form]()
    entry = Entry("/registry/x/a", raw, revision)
    assert orjson.loads(entry.json) == edited(value, revision)
    assert orjson.loads(entry.json_at(7)) == edited(value, 7)
    assert orjson.loads(b"{" + entry.body) == {
        key: item for key, item in edited(value, revision).items() if key not in ("kind", "apiVersion")
    }


@given(objects)
def test_stored_form_is_stable(value: dict[str, Any]) -> None:
    """What is stored reads back as itself: the same object written again is recognized as the same."""
    document = documents.written(orjson.dumps(value))
    stored = document.stored()
    assert documents.read(stored) == document
    assert Entry("/registry/x/a", stored, 5).holds(document)
    assert documents.rest_of(documents.body(document.rest, 123), 123) == document.rest
    loaded = orjson.loads(stored)
    assert "resourceVersion" not in loaded["metadata"]


def test_the_usual_form_is_kept_as_it_is() -> None:
    """A value as kube-apiserver writes it, newline and all, is only cut, and heads are shared."""
    raw = b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","uid":"u"},"spec":{"x":[1,2]}}'
    first, second = documents.read(raw + b"\n"), documents.read(raw)
    assert first == second == (b'{"kind":"Pod","apiVersion":"v1",', b'"name":"a","uid":"u"},"spec":{"x":[1,2]}}')
    assert first.head is second.head
    assert first.stored() == raw
    assert Entry("k", raw, 12).json == raw.replace(b'{"name"', b'{"resourceVersion":"12","name"')


def test_empty_metadata() -> None:
    """Metadata without members, null or absent gets its resourceVersion too."""
    for raw in (b'{"metadata":{}}', b'{"kind":"A","apiVersion":"b","metadata":{ } }', b'{"metadata":null}', b"{}"):
        assert orjson.loads(Entry("k", raw, 3).json)["metadata"] == {"resourceVersion": "3"}


@pytest.mark.parametrize("raw", [b"", b"k8s\x00\n\x0f", b"[]", b"null", b'{"metadata":5}', b'{"metadata":{}', b"{]}"])
def test_corrupt_values(raw: bytes) -> None:
    """A value that is no object is corrupt, and only this object fails."""
    entry = Entry("/registry/pods/a/b", raw, 3)
    with pytest.raises(CorruptError) as caught:
        _ = entry.json
    assert caught.value.metadata == {"key": "/registry/pods/a/b"}
    with pytest.raises(CorruptError):
        _ = entry.labels


@pytest.mark.parametrize("raw", [b"", b"{", b"5", b"{}", b'{"metadata":[]}', b'{"metadata":{}}{}', b'{"metadata":{},}'])
def test_what_is_written_must_be_an_object(raw: bytes) -> None:
    """Writes are checked whole."""
    with pytest.raises(MalformedError):
        documents.written(raw)
