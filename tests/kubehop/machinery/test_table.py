"""Tables, against apimachinery's and kube-apiserver's rules."""

from __future__ import annotations

from typing import Any

import pytest

from kubehop.machinery import table
from kubehop.machinery.table import DEFAULT, Column, Printer

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1.5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (10 * 60 + 30, "10m"),
        (179 * 60, "179m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 120, "3h2m"),
        (47 * 3600, "47h"),
        (48 * 3600, "2d"),
        (49 * 3600, "2d1h"),
        (8 * 86400 + 3600, "8d"),
        (729 * 86400, "729d"),
        (730 * 86400, "2y"),
        (731 * 86400, "2y1d"),
        (9 * 365 * 86400 + 5, "9y"),
    ],
)
def test_durations_are_printed_as_humans_read_them(seconds, text):
    """Two or three figures, as apimachinery's HumanDuration."""
    assert table.human_duration(seconds) == text


def test_ages_of_objects_without_a_creation_time_are_unknown():
    """An object that was never stored has no age."""
    assert table.age({"metadata": {}}, NOW) == "<unknown>"
    assert table.age({"metadata": {"creationTimestamp": "2023-11-14T22:13:10Z"}}, NOW) == "10s"


@pytest.fixture
def secret() -> dict[str, Any]:
    return {
        "kind": "X",
        "apiVersion": "v1",
        "metadata": {"name": "a", "creationTimestamp": "2023-11-14T22:13:10Z"},
        "spec": {},
    }


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ("", "PartialObjectMetadata"),
        ("Metadata", "PartialObjectMetadata"),
        ("Object", "X"),
        ("None", None),
    ],
)
def test_rows_carry_what_was_asked_for(secret, include, expected):
    """A row's object is its metadata, the whole, or nothing."""
    (row,) = table.table(DEFAULT, [secret], {}, now=NOW, include_object=include)["rows"]
    assert (row["object"] or {}).get("kind") == expected
    assert row["cells"] == ["a", "2023-11-14T22:13:10Z"]


def test_metadata_and_headers(secret):
    """List metadata is kept, and later events of a watch have no column definitions."""
    made = table.table(
        DEFAULT, [secret], {"resourceVersion": "7", "continue": "", "x": 1}, now=NOW, version="v1beta1", headers=False
    )
    assert made["apiVersion"] == "meta.k8s.io/v1beta1"
    assert made["metadata"] == {"resourceVersion": "7"}
    assert made["columnDefinitions"] is None
    assert made["rows"][0]["object"]["apiVersion"] == "meta.k8s.io/v1beta1"


def test_printers_may_order_and_mark_rows():
    """A printer can sort a list and give its rows conditions."""
    printer = Printer(
        (Column("Name"),),
        lambda obj, _now: [obj["n"]],
        conditions=lambda obj: [{"type": "Completed"}] if obj["n"] == 1 else [],
        order=lambda obj: obj["n"],
    )
    rows = table.table(printer, [{"n": 2}, {"n": 1}], {}, now=NOW)["rows"]
    assert [row["cells"] for row in rows] == [[1], [2]]
    assert rows[0]["conditions"] == [{"type": "Completed"}]
    assert "conditions" not in rows[1]


def test_presented_objects_may_be_converted(secret):
    """Whole objects are shown in the version that was asked for."""
    (row,) = table.table(
        DEFAULT, [secret], {}, now=NOW, include_object="Object", present=lambda obj: {"was": obj["kind"]}
    )["rows"]
    assert row["object"] == {"was": "X"}
