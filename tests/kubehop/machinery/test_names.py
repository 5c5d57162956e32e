"""Names and labels: what is allowed, and what is said of the rest."""

from __future__ import annotations

import pytest

from kubehop.machinery import fields, names

_SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


@pytest.mark.parametrize("name", ["a", "a-1", "a.b", "0", "a" * 253, "a--b"])
def test_subdomains(name):
    """Names of most kinds."""
    assert names.dns1123_subdomain(name) == []


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a..b", ".a", "a b", "é", "a\n"])
def test_bad_subdomains(name):
    """What is no subdomain is told the rule."""
    assert names.dns1123_subdomain(name) == [_SUBDOMAIN]


def test_lengths_are_counted_in_bytes():
    """A name is too long by its bytes, and says so before the rule that it breaks, too."""
    assert names.dns1123_subdomain("a" * 254) == ["must be no more than 253 characters"]
    assert names.dns1123_label("é" * 32) == ["must be no more than 63 characters", _LABEL]
    assert names.label_value("a" * 64) == ["must be no more than 63 bytes"]


def test_labels_with_dots():
    """A name that would do but for its dots is told just that."""
    assert names.dns1123_label("a.b") == ["must not contain dots"]
    assert names.dns1123_label("a_b") == [_LABEL]


@pytest.mark.parametrize("key", ["a", "A.b_c-D", "example.com/a", "a" * 63])
def test_label_keys(key):
    """Keys with and without a prefix."""
    assert names.label_key(key) == []


@pytest.mark.parametrize(
    ("key", "complaints"),
    [
        ("", ["name part must be non-empty", _KEY]),
        ("/a", ["prefix part must be non-empty"]),
        ("a/", ["name part must be non-empty", _KEY]),
        ("-a", [_KEY]),
        ("a" * 64, ["name part must be no more than 63 bytes"]),
        ("A.b/c", [f"prefix part {_SUBDOMAIN}"]),
    ],
)
def test_bad_label_keys(key, complaints):
    """Each part of a key has its own complaints."""
    assert names.label_key(key) == complaints


def test_a_key_with_two_slashes():
    """More than one prefix is no key at all."""
    (complaint,) = names.label_key("a/b/c")
    assert complaint.startswith("a valid label key must consist of")
    assert complaint.endswith("with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (names.dns1035_label, ["a", "a-1"], ["1a", "a.b", "A"]),
        (names.wildcard_dns1123_subdomain, ["*.a.b"], ["*", "a.b", "*.*.a", "*a.b"]),
        (names.dns1123_subdomain_with_underscore, ["_a.b_c"], ["a..b", "A"]),
        (names.dns1123_subdomain_caseless, ["A.b"], ["a_b"]),
        (names.label_value, ["", "a", "A_b.c-d"], ["-a", "a b", "a-"]),
        (names.c_identifier, ["_a1", "A"], ["1a", "a-b"]),
        (names.config_map_key, ["a.b", ".a", "A_b-c"], ["a b", ".", "..", "..a", ""]),
        (names.env_var_name, ["A_b.c-d"], ["1A", "A=B", ".."]),
        (names.relaxed_env_var_name, ["1 A", "a:b"], ["", "A=B", "é", "a\n"]),
        (names.http_header_name, ["X-Y"], ["X Y", ""]),
        (names.percent, ["10%"], ["10", "%", "1.5%"]),
        (names.port_name, ["http", "p2p-1"], ["HTTP", "80", "a--b", "-a", "a-", "a" * 16, ""]),
        (names.condition_reason, ["AsExpected", "A,b:c_"], ["", "a b", "a,"]),
        (names.uuid, ["01234567-89ab-cdef-0123-456789abcdef"], ["x", "01234567-89AB-cdef-0123-456789abcdef"]),
        (names.path_segment_name, ["a:b", "...", "A B"], [".", "..", "a/b", "a%b"]),
    ],
)
def test_rules(rule, good, bad):
    """Each rule takes the good and says something of the bad."""
    assert [value for value in good if rule(value)] == []
    assert [value for value in bad if not rule(value)] == []


@pytest.mark.parametrize(("port", "good"), [(1, True), (65535, True), (0, False), (65536, False)])
def test_ports(port, good):
    """Ports go from 1 to 65535."""
    assert names.port_number(port) == ([] if good else ["must be between 1 and 65535, inclusive"])


def test_prefixes_may_end_with_a_dash():
    """What a generated suffix will complete is judged with that in mind."""
    assert names.name_is_dns_subdomain("web-", True) == []
    assert names.name_is_dns_subdomain("web-", False) == [_SUBDOMAIN]
    assert names.name_is_path_segment("..", True) == []
    assert names.name_is_path_segment("..", False) == ["may not be '..'"]
    assert names.path_segment_prefix("a/b%c") == ["may not contain '/'", "may not contain '%'"]


@pytest.mark.parametrize(
    ("rule", "value", "errors"),
    [
        (names.fully_qualified_name, "a.b.c", []),
        (
            names.fully_qualified_name, "a.b",
            ['f: Invalid value: "a.b": should be a domain with at least three segments separated by dots'],
        ),
        (names.fully_qualified_domain_name, "a.b.", []),
        (names.fully_qualified_domain_name, "", ["f: Required value"]),
        (names.domain_prefixed_path, "a.b/c/d", []),
        (
            names.domain_prefixed_path, "a.b",
            ['f: Invalid value: "a.b": must be a domain-prefixed path (such as "acme.io/foo")'],
        ),
        (names.domain_prefixed_key, "a.b/c", []),
        (
            names.domain_prefixed_key, "c",
            ['f: Invalid value: "c": must be a domain-prefixed key (such as "acme.io/foo")'],
        ),
    ],
)  # fmt: skip
def test_rules_that_know_their_field(rule, value, errors):
    """Rules on domains give field errors."""
    assert list(map(str, rule(fields.Path("f"), value))) == errors
