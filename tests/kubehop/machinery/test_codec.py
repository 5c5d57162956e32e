"""Bodies in and out: JSON with Go's words, YAML with go-yaml's, within bounds."""

from __future__ import annotations

import contextlib
import json
import re
import time

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery import codec, gojson, yamltext
from kubehop.machinery.codec import DecodeError
from kubehop.machinery.gojson import NumberText, Pairs

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a"', "unexpected end of JSON input"),
        (b"{", "unexpected end of JSON input"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b"{a:1}", "invalid character 'a' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        (b"[1,]", "invalid character ']' looking for beginning of value"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b'{"a":1}x', "invalid character 'x' after top-level value"),
        (b"metadata:", "invalid character 'm' looking for beginning of value"),
        (b"[NaN]", "invalid character 'N' looking for beginning of value"),
        (b"[-Infinity]", "invalid character 'I' in numeric literal"),
        (b"\xef\xbb\xbf{}", "invalid character '\xef' looking for beginning of value"),
        (b'["\\\\\\q"]', "invalid character 'q' in string escape code"),
        (b'["a\\u00e', "unexpected end of JSON input"),
        (b'{"a":{"b":[1 2]}}', "invalid character '2' after array element"),
        (b'{"a":[{"b":1 2}]}', "invalid character '2' after object key:value pair"),
        (b"[1,2,3,", "unexpected end of JSON input"),
        (b"1e+", "unexpected end of JSON input"),
        (b"[2.]", "invalid character ']' after decimal point in numeric literal"),
        (b"'a'", "invalid character '\\'' looking for beginning of value"),
        (b"tru ", "invalid character ' ' in literal true (expecting 'e')"),
        (b"nulx", "invalid character 'x' in literal null (expecting 'l')"),
        (b'"\\x"', "invalid character 'x' in string escape code"),
        (b'"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
        (b'"a\nb"', "invalid character '\\n' in string literal"),
        (b"01", "invalid character '1' after top-level value"),
        (b"-a", "invalid character 'a' in numeric literal"),
        (b"1.x", "invalid character 'x' after decimal point in numeric literal"),
        (b"1ex", "invalid character 'x' in exponent of numeric literal"),
        (b"\xff", "invalid character '\xff' looking for beginning of value"),
        (b'{"a":[1,2,{"b":"c"},x]}', "invalid character 'x' looking for beginning of value"),
        (b"[" * 300 + b"]" * 300, "exceeded max depth"),
        (b"[" * 20_000, "exceeded max depth"),
    ],
)
def test_json_errors(data, error):
    """Bytes that are no JSON are told what encoding/json says of them."""
    with pytest.raises(DecodeError, match="^" + re.escape(error) + "$"):
        codec.decode(data)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b' {"a": [1, -2.5, true, null]} ', {"a": [1, -2.5, True, None]}),
        (b'["\xff\xfe"]', ["\ufffd\ufffd"]),
        (b'{"a\\ud800":"\\udc00x"}', {"a\ufffd": "\ufffdx"}),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        (b"null", None),
    ],
)
def test_json_is_read_as_go_reads_it(data, value):
    """Invalid UTF-8 and lone surrogates are replaced, not refused."""
    assert codec.decode(data).value == value


def test_repeated_keys_are_found():
    """Strict reading keeps every member; the last one counts."""
    body = codec.decode(b'{"a":{"k":1,"k":2},"a" :{"z":1.50}}', strict=True)
    assert body.repeats
    assert isinstance(body.value, Pairs)
    assert [key for key, _ in body.value.pairs] == ["a", "a"]
    number = body.value["a"]["z"]
    assert isinstance(number, NumberText)
    assert (number, number.text) == (1.5, "1.50")
    assert codec.decode(b'{"a":1,"a":2}').value == {"a": 2}


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"b":{"a":2}}',
        b'{\n  "a": 1,\n  "b": "\\":"\n}',
        b'{"a": "x\\u003cy"}',
        b'{"a":1.0,"b":1e2}',
        b'{"k":{"a":1},"l":{"a":1}}\n',
    ],
)
def test_documents_without_repeated_keys_take_the_fast_way(data):
    """White space, escapes and number forms do not make a document look as if its keys repeated."""
    assert not codec.decode(data, strict=True).repeats


@given(st.lists(st.tuples(st.sampled_from(["a", "b", '"', "\\", ":"]), _json), max_size=4), st.sampled_from([None, 1]))
def test_no_repeated_key_is_missed(pairs, indent):
    """However it is written, a document whose keys repeat is known as one."""
    separators = (",", ":") if indent is None else None
    text = (
        "{"
        + ",".join(
            json.dumps(key)
            + ": " * bool(indent)
            + ":" * (not indent)
            + json.dumps(value, indent=indent, separators=separators)
            for key, value in pairs
        )
        + "}"
    )
    keys = [key for key, _ in pairs]
    body = codec.decode(text.encode(), strict=True)
    if len(set(keys)) < len(keys):
        assert body.repeats
    assert body.value == json.loads(text)


@given(_json)
def test_json_round_trip(value):
    """What is encoded is decoded again, compact and pretty."""
    for pretty in (False, True):
        data = codec.encode_json(value, pretty=pretty)
        assert data.endswith(b"\n") is not pretty
        assert codec.decode(data, strict=True).value == value
        assert gojson.loads_exact(data) == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:0123456789.eE+-truefalsn\\u \n', max_size=40).map(str.encode))
def test_no_bytes_break_it(data):
    """Any bytes are a document or a DecodeError, and Go's scanner agrees with orjson on which."""
    for media_type in (codec.JSON, codec.YAML):
        with contextlib.suppress(DecodeError):
            codec.decode(data, media_type, strict=True)
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return
    gojson.loads_exact(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[" + b"1," * 500_000,
        b'{"a":1,' * 1_000,
        b'["' + b"a" * 3_000_000,
        b"[" + b"{}," * 300_000,
        b'"' + b"\\n" * 1_000_000,
    ],
)
def test_bad_bodies_are_refused_quickly(data):
    """A long malformed body costs no unbounded time."""
    start = time.monotonic()
    with pytest.raises(DecodeError):
        codec.decode(data)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"a: 1\nb: [x, z]\nc: {d: e}", {"a": 1, "b": ["x", "z"], "c": {"d": "e"}}),
        (b"a: n\nb: Yes\nc: off\nd: 'no'", {"a": False, "b": True, "c": False, "d": "no"}),
        (
            b"a: 0777\nb: 0x1F\nc: 1_000\nd: 0b11\ne: 0o17\nf: 08",
            {"a": 511, "b": 31, "c": 1000, "d": 3, "e": 15, "f": 8},
        ),
        (b"a: 1.5\nb: 1e3\nc: .5\nd: 12:30\ne: 1.2.3", {"a": 1.5, "b": 1000, "c": 0.5, "d": "12:30", "e": "1.2.3"}),
        (b"a: ~\nb: null\nc:\nd: ''", {"a": None, "b": None, "c": None, "d": ""}),
        (b"a: 2026-01-02\nb: 2026-01-02T03:04:05Z", {"a": "2026-01-02", "b": "2026-01-02T03:04:05Z"}),
        (b"1: a\ntrue: b\n1.5: c", {"1": "a", "true": "b", "1.5": "c"}),
        (b"a: &x {k: v}\nb: *x\nc:\n  <<: *x\n  l: w", {"a": {"k": "v"}, "b": {"k": "v"}, "c": {"k": "v", "l": "w"}}),
        (b"a: {<<: [{k: 1, l: 1}, {k: 2}]}", {"a": {"k": 1, "l": 1}}),
        (b"a: !!str 1\nb: !!binary aGk=\nc: !!int '7'\nd: !custom x", {"a": "1", "b": "hi", "c": 7, "d": "x"}),
        (b"--- \na: 1\n---\nb: 2\n", {"a": 1}),
        (b"", None),
        (b"# nothing\n", None),
        (b"a: |\n  x\n  y\nb: >\n  x\n  y\n", {"a": "x\ny\n", "b": "x y\n"}),
        (b'{"a": "n", "b": 1}', {"a": "n", "b": 1}),
    ],
)
def test_yaml_is_read_as_kubernetes_reads_it(data, value):
    """YAML 1.1 words, keys made strings, aliases and merges expanded, the first document alone."""
    assert codec.decode(data, codec.YAML).value == value


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"metadata:\n\tname: a\n", "yaml: line 2: found character that cannot start any token"),
        (b"apiVersion: v1\n kind: [ConfigMap\n", "yaml: line 2: mapping values are not allowed in this context"),
        (b"a: b: c", "yaml: mapping values are not allowed in this context"),
        (b"a: *x", "yaml: unknown anchor 'x' referenced"),
        (b"a: &a [*a]", "yaml: anchor 'a' value contains itself"),
        (b"\xff", "yaml: invalid leading UTF-8 octet"),
        (b"a: .inf", "json: unsupported value: +Inf"),
        (b"a: {<<: 1}", "yaml: map merge requires map or sequence of maps as the value"),
        (b"a: !!int x", "yaml: cannot decode !!str `x` as a !!int"),
        (b"a: !!binary '*'", "yaml: !!binary value contains invalid base64 data"),
        (b"[" * 300, "yaml: exceeded max depth of 250"),
        (b"a: " + b"- " * 400, "yaml: block sequence entries are not allowed in this context"),
    ],
)
def test_yaml_errors(data, error):
    """What is no YAML is told what go-yaml says of it."""
    with pytest.raises(DecodeError, match="^" + re.escape(error)):
        codec.decode(data, codec.YAML)


def test_aliases_are_bounded():
    """A document that multiplies itself is refused before it is built."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    start = time.monotonic()
    with pytest.raises(DecodeError, match="document contains excessive aliasing"):
        codec.decode("\n".join(lines).encode(), codec.YAML)
    assert time.monotonic() - start < 5


def test_yaml_keys_that_repeat():
    """Strict errors of YAML come in one message, and as warnings one by one."""
    body = codec.decode(b"a: 1\na: 2\nb: {x: y, x: z}\n", codec.YAML)
    assert body.value == {"a": 2, "b": {"x": "z"}}
    assert body.strict_errors == (
        'yaml: unmarshal errors:\n  line 2: key "a" already set in map\n  line 3: key "x" already set in map',
    )
    assert codec.strict_warnings([*body.strict_errors, 'unknown field "c"']) == [
        'line 2: key "a" already set in map',
        'line 3: key "x" already set in map',
        'unknown field "c"',
    ]


def test_yaml_is_written_as_kubernetes_writes_it():
    """Keys sorted, lists not indented, strings quoted where another reader would take them for something else."""
    value = {
        "b": "true",
        "a": ["x", {"c": 1.0, "d": "1"}],
        "s": "a\nb\n",
        "t": "x: y",
        "v": "",
        "w": "12:30:45",
        "x": "2001-01-01",
        "y": "é",
        "n": None,
        "e": {},
        "z": [],
        "f": 1.5,
        "m": "<<",
        "o": True,
    }
    assert codec.encode_yaml(value).decode() == (
        'a:\n- x\n- c: 1\n  d: "1"\nb: "true"\ne: {}\nf: 1.5\nm: "<<"\n"n": null\no: true\ns: |\n  a\n  b\n'
        't: \'x: y\'\nv: ""\nw: "12:30:45"\nx: "2001-01-01"\n"y": é\nz: []\n'
    )


_yaml_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=12)
_yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | _yaml_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_yaml_text, inner, max_size=3),
    max_leaves=10,
)


@given(_yaml_values)
def test_yaml_round_trip(value):
    """What is written is read again, by us and by others."""
    data = codec.encode_yaml(value)
    assert yamltext.load(data).value == value
    assert yaml.safe_load(data) == value
