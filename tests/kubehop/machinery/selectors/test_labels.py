"""Label selectors: parsed, matched, printed."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery.selectors import labels
from kubehop.machinery.selectors.labels import Operator, Requirement, Selector


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("", ""),
        ("app=web", "app=web"),
        ("app == web", "app==web"),
        ("app!=web", "app!=web"),
        ("b,a", "a,b"),
        ("!a", "!a"),
        ("! a , b", "!a,b"),
        ("x in (c,b, a)", "x in (a,b,c)"),
        ("x notin (b)", "x notin (b)"),
        ("x in ()", "x in ()"),
        ("x in (,)", "x in ()"),
        ("x in (a,,b)", "x in (,a,b)"),
        ("x in (a,)", "x in (,a)"),
        ("x>5, y<-1", None),
        ("x>5", "x>5"),
        ("x=", "x="),
        ("x=,y", "x=,y"),
        ("in in (in, notin)", "in in (in,notin)"),
        ("notin", "notin"),
        ("example.com/a=b", "example.com/a=b"),
        ("a\x00b", None),
    ],
)
def test_parsing(text, printed):
    """All forms are read, and printed in order of their keys."""
    if printed is None:
        with pytest.raises(ValueError, match=r"."):
            labels.parse(text)
    else:
        assert str(labels.parse(text)) == printed
        assert labels.parse(printed) == labels.parse(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("app in web", "unable to parse requirement: found 'web' expected: '('"),
        ("app between (a)", "unable to parse requirement: found 'between', expected: in, notin, =, ==, !=, gt, lt"),
        ("app=web server", "found 'server', expected: ',' or 'end of string'"),
        ("weight>heavy", ('unable to parse requirement: values[0]: Invalid value: "heavy": '
         "for 'Gt', 'Lt' operators, the value must be an integer")),
        ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a,", "found '', expected: identifier after ','"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a=(", "unable to parse requirement: found '(', expected: identifier"),
        ("a in", "unable to parse requirement: found '' expected: '('"),
        ("a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("a in (b=c)", "unable to parse requirement: found '=', expected: ',' or ')'"),
        ("a in (b,=)", "unable to parse requirement: found '=', expected: ',', or identifier"),
        ("a===b", "unable to parse requirement: found '=', expected: identifier"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a=b%", 'unable to parse requirement: values[0][a]: Invalid value: "b%": a valid label must be'),
        ("-a=b", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of'),
    ],
)  # fmt: skip
def test_errors(text, error):
    """What cannot be read is told in apimachinery's words."""
    with pytest.raises(ValueError, match="^" + re.escape(error)):
        labels.parse(text)


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        ("a=1", [{"a": "1"}], [{}, {"a": "2"}]),
        ("a!=1", [{}, {"a": "2"}], [{"a": "1"}]),
        ("a", [{"a": ""}], [{"b": ""}]),
        ("!a", [{"b": ""}], [{"a": ""}]),
        ("a in (1,2)", [{"a": "1"}, {"a": "2"}], [{}, {"a": "3"}]),
        ("a notin (1,2)", [{}, {"a": "3"}], [{"a": "1"}]),
        ("a>5", [{"a": "6"}], [{}, {"a": "5"}, {"a": "x"}, {"a": ""}]),
        ("a<5", [{"a": "-6"}], [{}, {"a": "5"}, {"a": "99999999999999999999"}]),
        ("a=1,b", [{"a": "1", "b": ""}], [{"a": "1"}, {"b": ""}]),
        ("", [{}, {"a": "1"}], []),
    ],
)
def test_matching(text, matching, other):
    """A selector keeps what meets all its requirements."""
    selector = labels.parse(text)
    assert all(map(selector.matches, matching))
    assert not any(map(selector.matches, other))


def test_selectors_of_objects():
    """A LabelSelector selects nothing when it is absent and everything when it is empty."""
    assert labels.from_label_selector(None).selects_nothing
    assert not labels.from_label_selector(None).matches({"a": "b"})
    assert labels.from_label_selector({}).empty
    selector = labels.from_label_selector(
        {"matchLabels": {"b": "1"}, "matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x", "y"]}]}
    )
    assert str(selector) == "a notin (x,y),b=1"
    with pytest.raises(ValueError, match=r'^"Near" is not a valid label selector operator$'):
        labels.from_label_selector({"matchExpressions": [{"key": "a", "operator": "Near"}]})
    with pytest.raises(ValueError, match="values set can't be empty"):
        labels.from_label_selector({"matchExpressions": [{"key": "a", "operator": "In"}]})


def test_exact_matches():
    """One value that a label has to have can be asked for."""
    selector = labels.parse("a in (x),b in (x,y),c,d==z")
    assert [selector.requires_exact_match(key) for key in "abcde"] == ["x", None, None, "z", None]


_keys = st.from_regex(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,8}[A-Za-z0-9])?", fullmatch=True)
_values = st.one_of(st.just(""), _keys)
_requirements = st.one_of(
    st.builds(Requirement, _keys, st.sampled_from([Operator.EXISTS, Operator.DOES_NOT_EXIST])),
    st.builds(
        lambda key, operator, value: Requirement(key, operator, (value,)),
        _keys,
        st.sampled_from([Operator.EQUALS, Operator.DOUBLE_EQUALS, Operator.NOT_EQUALS]),
        _values,
    ),
    st.builds(
        lambda key, operator, values: Requirement(key, operator, tuple(sorted(values))),
        _keys,
        st.sampled_from([Operator.IN, Operator.NOT_IN]),
        st.sets(_values, min_size=1, max_size=4),
    ),
    st.builds(
        lambda key, operator, value: Requirement(key, operator, (str(value),)),
        _keys,
        st.sampled_from([Operator.GREATER_THAN, Operator.LESS_THAN]),
        st.integers(0, 10**9),
    ),
)


@given(st.lists(_requirements, max_size=5), st.dictionaries(_keys, _values, max_size=4))
def test_printed_selectors_are_read_back(requirements, those):
    """A selector and its text are the same, and decide the same."""
    selector = Selector(requirements)
    again = labels.parse(str(selector))
    assert again == selector
    assert again.matches(those) == selector.matches(those) == all(each.matches(those) for each in requirements)


@given(st.text(alphabet="ab=!(),<> in\x00é\n", max_size=20))
def test_no_text_breaks_it(text):
    """Any text is a selector or a ValueError."""
    with contextlib.suppress(ValueError):
        labels.parse(text)
