"""Field selectors: parsed, matched, printed."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery.selectors import fields
from kubehop.machinery.selectors.fields import Requirement, Selector


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", ""),
        ("metadata.name=a", "metadata.name=a"),
        ("b==2,a!=1", "a!=1,b=2"),
        ("a=", "a="),
        (r"a=x\,y\=z\\", r"a=x\,y\=z\\"),
        ("a=1,,b=2", "a=1,b=2"),
        ("a!==b", None),
    ],
)
def test_parsing(text, printed):
    """Terms are read in order of their text."""
    if printed is None:
        with pytest.raises(ValueError, match="unescaped"):
            fields.parse(text)
    else:
        assert str(fields.parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("metadata.name in (a,b)", "invalid selector: 'metadata.name in (a,b)'; can't understand 'b)'"),
        (r"a=\x", r"invalid field selector: invalid escape sequence: \x"),
        ("a=b\\", "invalid field selector: invalid escape sequence: \\"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
    ],
)
def test_errors(text, error):
    """What cannot be read is told in apimachinery's words."""
    with pytest.raises(ValueError, match="^" + re.escape(error) + "$"):
        fields.parse(text)


def test_matching():
    """An absent field is the empty string."""
    selector = fields.parse("a=1,b!=2,c=")
    assert selector.matches({"a": "1"})
    assert not selector.matches({"a": "1", "b": "2"})
    assert not selector.matches({"a": "1", "c": "x"})
    assert selector.requires_exact_match("a") == "1"
    assert selector.requires_exact_match("b") is None


def test_transforming():
    """A resource renames fields, drops them, or refuses."""
    selector = fields.parse("a=1,b=2")
    renamed = selector.transform(lambda field, value: (field.upper(), value) if field == "a" else ("", ""))
    assert str(renamed) == "A=1"

    def refuse(field, value):
        raise ValueError(field)

    with pytest.raises(ValueError, match="a"):
        selector.transform(refuse)


_names = st.text(alphabet="abc.", min_size=1, max_size=6)


@given(st.lists(st.builds(Requirement, _names, st.sampled_from(["=", "!="]), st.text(max_size=8)), max_size=4))
def test_printed_selectors_are_read_back(requirements):
    """Any value survives its escapes."""
    selector = Selector(requirements)
    assert sorted(fields.parse(str(selector)).requirements, key=str) == sorted(requirements, key=str)


@given(st.text(alphabet="ab=!,\\é", max_size=16))
def test_no_text_breaks_it(text):
    """Any text is a selector or a ValueError."""
    with contextlib.suppress(ValueError):
        fields.parse(text)
