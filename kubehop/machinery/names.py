"""Names, labels, annotations and their like: what they may look like, and kube-apiserver's words when they do not.

Every validator takes a value and returns a list of complaints, empty when all is well; kinds put them behind field
paths. Behaviour of k8s.io/apimachinery/pkg/util/validation and pkg/api/validate/content (v0.36). Lengths are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from kubehop.machinery import fields

NameValidator = Callable[[str, bool], list[str]]
"""(name, is a generateName prefix) -> complaints: the rule for the names of a kind."""

DNS_LABEL_MAX: Final = 63
DNS_SUBDOMAIN_MAX: Final = 253

_DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_SUBDOMAIN = rf"{_DNS_LABEL}(\.{_DNS_LABEL})*"
_DNS_LABEL_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_DNS_SUBDOMAIN_UNDERSCORE = rf"{_DNS_LABEL_UNDERSCORE}(\.{_DNS_LABEL_UNDERSCORE})*"
_DNS1035_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WILDCARD_SUBDOMAIN = rf"\*\.{_DNS_SUBDOMAIN}"
_LABEL_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_LABEL_KEY})?"
_C_IDENTIFIER = "[A-Za-z_][A-Za-z0-9_]*"
_CONFIG_MAP_KEY = "[-._a-zA-Z0-9]+"
_ENV_VAR_NAME = "[-._a-zA-Z][-._a-zA-Z0-9]*"
_HTTP_HEADER = "[-A-Za-z0-9]+"
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_PERCENT = "[0-9]+%"
_CONDITION_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"

_match_dns_label = re.compile(_DNS_LABEL).fullmatch
_match_dns_subdomain = re.compile(_DNS_SUBDOMAIN).fullmatch
_match_dns_subdomain_caseless = re.compile(_DNS_SUBDOMAIN, re.IGNORECASE | re.ASCII).fullmatch
_match_dns_subdomain_underscore = re.compile(_DNS_SUBDOMAIN_UNDERSCORE).fullmatch
_match_dns1035_label = re.compile(_DNS1035_LABEL).fullmatch
_match_wildcard = re.compile(_WILDCARD_SUBDOMAIN).fullmatch
_match_label_key = re.compile(_LABEL_KEY).fullmatch
_match_label_value = re.compile(_LABEL_VALUE).fullmatch
_match_c_identifier = re.compile(_C_IDENTIFIER).fullmatch
_match_config_map_key = re.compile(_CONFIG_MAP_KEY).fullmatch
_match_env_var_name = re.compile(_ENV_VAR_NAME).fullmatch
_match_http_header = re.compile(_HTTP_HEADER).fullmatch
_match_http_path = re.compile(_HTTP_PATH).fullmatch
_match_percent = re.compile(_PERCENT).fullmatch
_match_condition_reason = re.compile(_CONDITION_REASON).fullmatch
_match_port_name = re.compile("[-a-z0-9]+").fullmatch
_match_uuid = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

_LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_CASELESS_TEXT = (
    "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_SUBDOMAIN_UNDERSCORE_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_LABEL1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
)
_LABEL_KEY_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)
_C_IDENTIFIER_TEXT = (
    "a valid C identifier must start with alphabetic character or '_', "
    "followed by a string of alphanumeric characters or '_'"
)
_CONFIG_MAP_KEY_TEXT = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
_ENV_VAR_TEXT = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', "
    "and must not start with a digit"
)
_CONDITION_REASON_TEXT = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric "
    "characters or '_,:', and must end with an alphanumeric character or '_'"
)


# --- wording ---------------------------------------------------------------------------------------------------------


def byte_length(value: str) -> int:
    """Length as Go's len counts it: bytes of UTF-8."""
    return len(value) if value.isascii() else len(value.encode("utf-8", "surrogateescape"))


def max_length_error(limit: int) -> str:
    """A value has more than `limit` bytes."""
    return f"must be no more than {limit} characters"


def _max_bytes_error(limit: int) -> str:
    # label keys word their limit differently since v1.36 moved them to pkg/api/validate/content
    return f"must be no more than {limit} bytes"


def regex_error(message: str, pattern: str, *examples: str) -> str:
    """A value does not match `pattern`; the odd commas and spaces are Kubernetes'."""
    if not examples:
        return f"{message} (regex used for validation is '{pattern}')"
    listed = " or ".join(f"'{example}', " for example in examples)
    return f"{message} (e.g. {listed}regex used for validation is '{pattern}')"


def inclusive_range_error(low: int, high: int) -> str:
    """A number is not within its bounds."""
    return f"must be between {low} and {high}, inclusive"


EMPTY_ERROR: Final = "must be non-empty"


# --- DNS names -------------------------------------------------------------------------------------------------------


def dns1123_label(value: str) -> list[str]:
    """A DNS label (RFC 1123)."""
    errors = [max_length_error(DNS_LABEL_MAX)] if byte_length(value) > DNS_LABEL_MAX else []
    if not _match_dns_label(value):
        if _match_dns_subdomain(value):
            errors.append("must not contain dots")
        else:
            errors.append(regex_error(_LABEL_TEXT, _DNS_LABEL, "my-name", "123-abc"))
    return errors


def dns1123_subdomain(value: str) -> list[str]:
    """A DNS subdomain (RFC 1123), in lower case."""
    errors = [max_length_error(DNS_SUBDOMAIN_MAX)] if byte_length(value) > DNS_SUBDOMAIN_MAX else []
    if not _match_dns_subdomain(value):
        errors.append(regex_error(_SUBDOMAIN_TEXT, _DNS_SUBDOMAIN, "example.com"))
    return errors


def dns1123_subdomain_caseless(value: str) -> list[str]:
    """A DNS subdomain in any case, as CSI and DRA driver names may be."""
    errors = [_max_bytes_error(DNS_SUBDOMAIN_MAX)] if byte_length(value) > DNS_SUBDOMAIN_MAX else []
    if not _match_dns_subdomain_caseless(value):
        errors.append(regex_error(_SUBDOMAIN_CASELESS_TEXT, _DNS_SUBDOMAIN, "Example.com"))
    return errors


def dns1123_subdomain_with_underscore(value: str) -> list[str]:
    """A DNS subdomain whose labels may hold underscores."""
    errors = [max_length_error(DNS_SUBDOMAIN_MAX)] if byte_length(value) > DNS_SUBDOMAIN_MAX else []
    if not _match_dns_subdomain_underscore(value):
        errors.append(regex_error(_SUBDOMAIN_UNDERSCORE_TEXT, _DNS_SUBDOMAIN_UNDERSCORE, "example.com"))
    return errors


def dns1035_label(value: str) -> list[str]:
    """A DNS label that starts with a letter (RFC 1035)."""
    errors = [max_length_error(DNS_LABEL_MAX)] if byte_length(value) > DNS_LABEL_MAX else []
    if not _match_dns1035_label(value):
        errors.append(regex_error(_LABEL1035_TEXT, _DNS1035_LABEL, "my-name", "abc-123"))
    return errors


def wildcard_dns1123_subdomain(value: str) -> list[str]:
    """`*.` before a DNS subdomain."""
    errors = [max_length_error(DNS_SUBDOMAIN_MAX)] if byte_length(value) > DNS_SUBDOMAIN_MAX else []
    if not _match_wildcard(value):
        errors.append(regex_error(_WILDCARD_TEXT, _WILDCARD_SUBDOMAIN, "*.example.com"))
    return errors


def fully_qualified_name(path: fields.Path, name: str) -> list[fields.FieldError]:
    """A DNS subdomain of three labels or more."""
    if not name:
        return [fields.required(path)]
    if errors := dns1123_subdomain(name):
        return [fields.invalid(path, name, ",".join(errors))]
    if name.count(".") < 2:
        return [fields.invalid(path, name, "should be a domain with at least three segments separated by dots")]
    return []


def fully_qualified_domain_name(path: fields.Path, name: str) -> list[fields.FieldError]:
    """A DNS subdomain of two labels or more; a dot at its end is allowed."""
    if not name:
        return [fields.required(path)]
    name = name.removesuffix(".")
    if errors := dns1123_subdomain(name):
        return [fields.invalid(path, name, ",".join(errors))]
    labels = name.split(".")
    if len(labels) < 2:
        return [fields.invalid(path, name, "should be a domain with at least two segments separated by dots")]
    for label in labels:
        if errors := dns1123_label(label):
            return [fields.invalid(path, label, ",".join(errors))]
    return []


def domain_prefixed_path(path: fields.Path, value: str) -> list[fields.FieldError]:
    """`example.com/some/path`."""
    if not value:
        return [fields.required(path)]
    host, _, rest = value.partition("/")
    if not host or not rest:
        return [fields.invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    errors = [fields.invalid(path, host, message) for message in dns1123_subdomain(host)]
    if not _match_http_path(rest):
        errors.append(fields.invalid(path, rest, regex_error("Invalid path", _HTTP_PATH)))
    return errors


def domain_prefixed_key(path: fields.Path, key: str) -> list[fields.FieldError]:
    """`example.com/key`: a label key with its prefix."""
    if not key:
        return [fields.required(path)]
    if errors := [fields.invalid(path, key, message) for message in label_key(key)]:
        return errors
    if "/" not in key:
        return [fields.invalid(path, key, 'must be a domain-prefixed key (such as "acme.io/foo")')]
    return []


# --- labels ----------------------------------------------------------------------------------------------------------


def label_key(value: str) -> list[str]:
    """A label key, also called a qualified name: `name` or `prefix.example/name`."""
    errors: list[str] = []
    prefix, slash, name = value.rpartition("/")
    if slash:
        if "/" in prefix:
            text = regex_error(_LABEL_KEY_TEXT, _LABEL_KEY, "MyName", "my.name", "123-abc")
            tail = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            return [f"a valid label key {text}{tail}"]
        if not prefix:
            errors.append(f"prefix part {EMPTY_ERROR}")
        else:
            if byte_length(prefix) > DNS_SUBDOMAIN_MAX:
                errors.append(f"prefix part {_max_bytes_error(DNS_SUBDOMAIN_MAX)}")
            if not _match_dns_subdomain(prefix):
                errors.append(f"prefix part {regex_error(_SUBDOMAIN_TEXT, _DNS_SUBDOMAIN, 'example.com')}")
    if not name:
        errors.append(f"name part {EMPTY_ERROR}")
    elif byte_length(name) > 63:
        errors.append(f"name part {_max_bytes_error(63)}")
    if not _match_label_key(name):
        errors.append(f"name part {regex_error(_LABEL_KEY_TEXT, _LABEL_KEY, 'MyName', 'my.name', '123-abc')}")
    return errors


qualified_name = label_key


def label_value(value: str) -> list[str]:
    """A label value; "" is one."""
    errors = [_max_bytes_error(63)] if byte_length(value) > 63 else []
    if not _match_label_value(value):
        errors.append(regex_error(_LABEL_VALUE_TEXT, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return errors


# --- names of objects ------------------------------------------------------------------------------------------------


def path_segment_name(name: str) -> list[str]:
    """What can stand in a URL: the least that every name has to be."""
    if name in {".", ".."}:
        return [f"may not be '{name}'"]
    return path_segment_prefix(name)


def path_segment_prefix(name: str) -> list[str]:
    """What a name in a URL may begin with."""
    return [f"may not contain '{mark}'" for mark in "/%" if mark in name]


def name_is_path_segment(name: str, prefix: bool) -> list[str]:
    """NameValidator of kinds whose names only have to fit a URL (RBAC roles, say)."""
    return path_segment_prefix(name) if prefix else path_segment_name(name)


def mask_trailing_dash(name: str) -> str:
    """A generateName as validators see it: the dash at its end, and what is before it, replaced by a letter."""
    return f"{name[:-2]}a" if len(name) > 1 and name.endswith("-") else name


def name_is_dns_subdomain(name: str, prefix: bool) -> list[str]:
    """NameValidator of most kinds."""
    return dns1123_subdomain(mask_trailing_dash(name) if prefix else name)


def name_is_dns_label(name: str, prefix: bool) -> list[str]:
    """NameValidator of namespaces and other kinds whose names are DNS labels."""
    return dns1123_label(mask_trailing_dash(name) if prefix else name)


def name_is_dns1035_label(name: str, prefix: bool) -> list[str]:
    """NameValidator of kinds whose names have to start with a letter."""
    return dns1035_label(mask_trailing_dash(name) if prefix else name)


# --- other small things ----------------------------------------------------------------------------------------------


def c_identifier(value: str) -> list[str]:
    """An identifier of the C language."""
    if _match_c_identifier(value):
        return []
    return [regex_error(_C_IDENTIFIER_TEXT, _C_IDENTIFIER, "my_name", "MY_NAME", "MyName")]


def config_map_key(value: str) -> list[str]:
    """A key of a ConfigMap or Secret."""
    errors = [max_length_error(DNS_SUBDOMAIN_MAX)] if byte_length(value) > DNS_SUBDOMAIN_MAX else []
    if not _match_config_map_key(value):
        errors.append(regex_error(_CONFIG_MAP_KEY_TEXT, _CONFIG_MAP_KEY, "key.name", "KEY_NAME", "key-name"))
    return errors + _dot_errors(value)


def _dot_errors(value: str) -> list[str]:
    if value == ".":
        return ["must not be '.'"]
    if value == "..":
        return ["must not be '..'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def env_var_name(value: str) -> list[str]:
    """The name of an environment variable, by the strict rule."""
    errors = []
    if not _match_env_var_name(value):
        errors.append(regex_error(_ENV_VAR_TEXT, _ENV_VAR_NAME, "my.env-name", "MY_ENV.NAME", "MyEnvName1"))
    return errors + _dot_errors(value)


def relaxed_env_var_name(value: str) -> list[str]:
    """The name of an environment variable, by the rule that containers have since v1.34: printable ASCII but `=`."""
    errors = [] if value else [f"environment variable name {EMPTY_ERROR}"]
    if any(not " " <= char <= "~" or char == "=" for char in value):
        errors.append(
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
        )
    return errors


def http_header_name(value: str) -> list[str]:
    """The name of an HTTP header."""
    if _match_http_header(value):
        return []
    text = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [regex_error(text, _HTTP_HEADER, "X-Header-Name")]


def percent(value: str) -> list[str]:
    """`25%`."""
    if _match_percent(value):
        return []
    text = "a valid percent string must be a numeric string followed by an ending '%'"
    return [regex_error(text, _PERCENT, "1%", "93%")]


def in_range(value: int, low: int, high: int) -> list[str]:
    """A number within bounds, both included."""
    return [] if low <= value <= high else [inclusive_range_error(low, high)]


def port_number(port: int) -> list[str]:
    """A port from 1 to 65535."""
    return in_range(port, 1, 65535)


def user_id(uid: int) -> list[str]:
    """A Unix user id."""
    return in_range(uid, 0, 2**31 - 1)


def group_id(gid: int) -> list[str]:
    """A Unix group id."""
    return in_range(gid, 0, 2**31 - 1)


def port_name(port: str) -> list[str]:
    """The name of a port (RFC 6335, in lower case)."""
    errors = []
    if byte_length(port) > 15:
        errors.append(max_length_error(15))
    if not _match_port_name(port):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any("a" <= char <= "z" for char in port):
        errors.append("must contain at least one letter (a-z)")
    if "--" in port:
        errors.append("must not contain consecutive hyphens")
    if port.startswith("-") or port.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def condition_reason(value: str) -> list[str]:
    """The reason of a condition: a word in CamelCase."""
    if _match_condition_reason(value):
        return []
    examples = ("my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB")
    return [regex_error(_CONDITION_REASON_TEXT, _CONDITION_REASON, *examples)]


def uuid(value: str) -> list[str]:
    """A UUID in lower case."""
    return [] if _match_uuid(value) else ["must be a lowercase UUID in 8-4-4-4-12 format"]
