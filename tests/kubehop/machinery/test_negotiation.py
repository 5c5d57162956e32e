"""Content negotiation."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery import negotiation
from kubehop.machinery.negotiation import PLAIN, RESOURCES, WATCHES, Accepted
from kubehop.machinery.objects import GroupVersionKind
from kubehop.machinery.status import StatusError

_TABLE = GroupVersionKind("meta.k8s.io", "v1", "Table")


@pytest.mark.parametrize(
    ("accept", "accepted"),
    [
        ("", Accepted()),
        ("*/*", Accepted()),
        ("application/*", Accepted()),
        ("application/json", Accepted()),
        ("application/yaml", Accepted("application/yaml")),
        ("application/json;q=0.5,application/yaml", Accepted("application/yaml")),
        ("application/vnd.kubernetes.protobuf,application/json", Accepted()),
        ("application/json;pretty=1", Accepted(pretty=True)),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json", Accepted(convert=_TABLE)),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", Accepted()),
        ("application/json;as=Chart;v=v1;g=meta.k8s.io, application/yaml", Accepted("application/yaml")),
        ("application/json;stream=watch", Accepted(stream="watch")),
        ("application/yaml;as=Table;v=v1;g=meta.k8s.io", Accepted("application/yaml", convert=_TABLE)),
        ("text/html, */*;q=0.1", Accepted()),
        ("application/json;profile=nopeer", Accepted(profile="nopeer")),
        ("application/json; charset=utf-8", Accepted()),
    ],
)
def test_answers(accept, accepted):
    """The best media range that can be served decides."""
    assert negotiation.negotiate(accept) == accepted


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/json;as=Chart;v=v1;g=meta.k8s.io",
        "application/vnd.kubernetes.protobuf",
        "application/cbor",
        "application/json;stream=other",
        "application/json;sv=v1",
        "nonsense",
    ],
)
def test_refusals(accept):
    """Otherwise 406 lists what kube-apiserver lists."""
    with pytest.raises(StatusError) as caught:
        negotiation.negotiate(accept, RESOURCES)
    assert (caught.value.code, caught.value.message) == (
        406,
        (
            "only the following media types are accepted: "
            "application/json, application/yaml, application/vnd.kubernetes.protobuf"
        ),
    )


def test_transformations_are_for_resources():
    """An endpoint without transformations refuses them, a watch has no YAML."""
    with pytest.raises(StatusError):
        negotiation.negotiate("application/json;as=Table;v=v1;g=meta.k8s.io", PLAIN)
    with pytest.raises(StatusError, match="stream=watch"):
        negotiation.negotiate("application/yaml", WATCHES)
    assert negotiation.negotiate("application/json;as=Table;v=v1;g=meta.k8s.io", WATCHES).convert == _TABLE


@pytest.mark.parametrize(
    ("pretty", "agent", "expected"),
    [
        ("", "kubectl", False),
        ("true", "", True),
        ("1", "", True),
        ("0", "curl/8", False),
        ("x", "curl/8", False),
        ("", "curl/8", True),
        ("", "Wget/1", True),
        ("", "Mozilla/5.0 (X11)", True),
    ],
)
def test_pretty(pretty, agent, expected):
    """The parameter decides, else whether a person seems to read."""
    assert negotiation.negotiate("application/json", pretty=pretty, user_agent=agent).pretty is expected


def test_errors_are_always_served():
    """An error is JSON when the client takes nothing else that there is."""
    assert negotiation.negotiate_error("text/html") == Accepted()
    assert negotiation.negotiate_error("application/yaml") == Accepted("application/yaml")
    assert negotiation.negotiate_error("application/json;as=Table;v=v1;g=meta.k8s.io,application/json") == Accepted()


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("application/yaml", "application/yaml"),
    ],
)
def test_bodies(header, media_type):
    """A body without a type is JSON."""
    assert negotiation.content_type(header) == media_type


@pytest.mark.parametrize(
    "header", ["text/plain", "application/xml", "application/json; charset", "/", "application/cbor", ";"]
)
def test_bodies_nobody_reads(header):
    """Otherwise 415 lists the media types."""
    with pytest.raises(StatusError) as caught:
        negotiation.content_type(header)
    assert caught.value.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


def test_patch_types():
    """Patches of other types are refused by the router, without details of what there is."""
    assert negotiation.patch_type("application/merge-patch+json; charset=utf-8") == negotiation.MERGE_PATCH
    for header in ("application/json", "", "application/yaml"):
        with pytest.raises(StatusError) as caught:
            negotiation.patch_type(header)
        assert (caught.value.code, caught.value.message, caught.value.details) == (
            415,
            "415: Unsupported Media Type",
            {},
        )
    with pytest.raises(StatusError):
        negotiation.patch_type(negotiation.STRATEGIC_MERGE_PATCH, (negotiation.JSON_PATCH, negotiation.MERGE_PATCH))


def test_the_router_knows_no_other_wildcards():
    """The router's refusal lists representations; `application/*` is none to it."""
    for accept in ("", "*/*", "text/html,*/*;q=0.1", "application/json;as=Chart"):
        negotiation.route_accepts(accept)
    with pytest.raises(StatusError) as caught:
        negotiation.route_accepts("application/*", negotiation.LIST_MEDIA_TYPES)
    assert caught.value.message == (
        "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf, application/json;stream=watch, "
        "application/vnd.kubernetes.protobuf;stream=watch"
    )


@given(st.text(alphabet="application/jsonyaml*;=,q. 0g", max_size=40))
def test_no_header_breaks_it(header):
    """Any header is served or refused."""
    for ask in (negotiation.negotiate, negotiation.content_type, negotiation.patch_type, negotiation.route_accepts):
        with contextlib.suppress(StatusError):
            ask(header)
