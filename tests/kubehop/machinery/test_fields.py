"""Field paths and errors."""

from __future__ import annotations

import pytest

from kubehop.machinery import fields
from kubehop.machinery.fields import Literal, Path


def test_paths():
    """Fields are joined by dots, items and keys stand in brackets."""
    path = Path("spec", "template").child("spec", "containers").index(2).child("env").key("A B")
    assert str(path) == "spec.template.spec.containers[2].env[A B]"
    assert path == Path("spec").child("template", "spec", "containers").index(2).child("env").key("A B")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (fields.required("a.b"), "a.b: Required value"),
        (fields.required("a", "say it"), "a: Required value: say it"),
        (fields.invalid("a", -1, "too small"), "a: Invalid value: -1: too small"),
        (fields.invalid("a", "x\n", "bad"), 'a: Invalid value: "x\\n": bad'),
        (fields.invalid("a", True, "bad"), "a: Invalid value: true: bad"),
        (fields.invalid("a", 1.0, "bad"), "a: Invalid value: 1: bad"),
        (fields.invalid("a", None, "bad"), "a: Invalid value: null: bad"),
        (fields.invalid("a", {"x": "<"}, "bad"), 'a: Invalid value: {"x":"\\u003c"}: bad'),
        (fields.invalid("a", Literal("1m30s"), "bad"), "a: Invalid value: 1m30s: bad"),
        (fields.invalid(None, "x", "bad"), '<nil>: Invalid value: "x": bad'),
        (fields.type_invalid("a", "x", "must be int"), 'a: Invalid value: "x": must be int'),
        (fields.not_supported("a", "x", ["b", "c"]), 'a: Unsupported value: "x": supported values: "b", "c"'),
        (fields.forbidden("a", "never"), "a: Forbidden: never"),
        (fields.not_found("a", "x"), 'a: Not found: "x"'),
        (fields.duplicate("a", "x"), 'a: Duplicate value: "x"'),
        (fields.too_long("a", 128), "a: Too long: may not be more than 128 bytes"),
        (fields.too_long("a", 1), "a: Too long: may not be more than 1 byte"),
        (fields.too_long("a", -1), "a: Too long: value is too long"),
        (fields.too_long_characters("a", 2), "a: Too long: may not be more than 2 characters"),
        (fields.too_short("a", "x", 2), "a: Too short: must be at least 2 characters"),
        (fields.too_many("a", 3, 2), "a: Too many: 3: must have at most 2 items"),
        (fields.too_many("a", -1, 1), "a: Too many: must have at most 1 item"),
        (fields.too_few("a", 0, 1), "a: Too few: 0: must have at least 1 item"),
        (fields.internal("a", "oops"), "a: Internal error: oops"),
        (fields.immutable("a", {"b": 1}), 'a: Invalid value: {"b":1}: field is immutable'),
    ],
)
def test_messages(error, text):
    """Every kind of error has kube-apiserver's words."""
    assert str(error) == text
    assert error.body == text.partition(": ")[2]


def test_aggregates():
    """One error stands alone, several stand in brackets, none twice."""
    a, b = fields.required("a"), fields.required("b")
    assert fields.to_aggregate([a]) == "a: Required value"
    assert fields.to_aggregate([a, b, a]) == "[a: Required value, b: Required value]"
    assert fields.to_aggregate([a, a]) == "a: Required value"
