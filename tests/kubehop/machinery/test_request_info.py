"""RequestInfo: what a request is about."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.machinery import request_info
from kubehop.machinery.request_info import RequestInfoError


def parse(method, url):
    path, _, query = url.partition("?")
    return request_info.parse(method, path, dict(parse_qsl(query, keep_blank_values=True)))


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        # method, url, (verb, prefix, group, version, namespace, resource, subresource, name, parts)
        ("GET", "/api/v1/namespaces", "list api  v1  namespaces   namespaces"),
        ("GET", "/api/v1/namespaces/shop", "get api  v1 shop namespaces  shop namespaces,shop"),
        ("GET", "/api/v1/namespaces/shop/pods", "list api  v1 shop pods   pods"),
        ("HEAD", "/api/v1/namespaces/shop/pods/a", "get api  v1 shop pods  a pods,a"),
        ("GET", "/api/v1/pods", "list api  v1  pods   pods"),
        ("POST", "/apis/apps/v1/namespaces/shop/deployments", "create apis apps v1 shop deployments   deployments"),
        ("PUT", "/apis/apps/v1/namespaces/shop/deployments/a", "update apis apps v1 shop deployments  a deployments,a"),
        ("PATCH", "/api/v1/nodes/n/status", "patch api  v1  nodes status n nodes,n,status"),
        (
            "PUT",
            "/api/v1/namespaces/shop/finalize",
            "update api  v1 shop namespaces finalize shop namespaces,shop,finalize",
        ),
        ("PUT", "/api/v1/namespaces/shop/status", "update api  v1 shop namespaces status shop namespaces,shop,status"),
        ("DELETE", "/api/v1/nodes", "deletecollection api  v1  nodes   nodes"),
        ("DELETE", "/api/v1/namespaces", "deletecollection api  v1  namespaces   namespaces"),
        ("DELETE", "/api/v1/nodes/n", "delete api  v1  nodes  n nodes,n"),
        ("GET", "/api/v1/watch/pods", "watch api  v1  pods   pods"),
        ("GET", "/api/v1/watch/namespaces/shop/pods", "watch api  v1 shop pods   pods"),
        ("GET", "/api/v1/proxy/namespaces/shop/pods/a/x/y", "proxy api  v1 shop pods  a pods,a,x,y"),
        ("GET", "/api/v1/namespaces/shop/pods/a/proxy/x", "get api  v1 shop pods proxy a pods,a,proxy,x"),
        ("GET", "/api/v1/pods?watch=true", "watch api  v1  pods   pods"),
        ("GET", "/api/v1/pods?watch=1", "watch api  v1  pods   pods"),
        ("GET", "/api/v1/pods?watch=", "watch api  v1  pods   pods"),
        ("GET", "/api/v1/pods?watch=maybe", "watch api  v1  pods   pods"),
        ("GET", "/api/v1/pods?watch=FALSE", "list api  v1  pods   pods"),
        ("GET", "/api/v1/pods?watch=0", "list api  v1  pods   pods"),
        ("GET", "/api/v1/namespaces/shop/pods/a?watch=true", "get api  v1 shop pods  a pods,a"),
        ("OPTIONS", "/api/v1/pods/a", " api  v1  pods  a pods,a"),
        ("GET", "//api/v1/pods/", "list api  v1  pods   pods"),
    ],
)
def test_resource_requests(method, url, expected):
    """A path of the API gives verb, type, namespace and name as kube-apiserver derives them."""
    info = parse(method, url)
    assert info.is_resource_request
    got = (
        info.verb, info.api_prefix, info.api_group, info.api_version, info.namespace, info.resource,
        info.subresource, info.name, ",".join(info.parts),
    )  # fmt: skip
    assert " ".join(got) == expected


@pytest.mark.parametrize(
    "path", ["", "/", "/api", "/api/v1", "/api/v1/", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/a/b/c/d"]
)
def test_other_requests(path):
    """Every other path is no resource, and its verb is the method in lower case."""
    info = parse("GET", path)
    assert not info.is_resource_request
    assert (info.verb, info.path) == ("get", path)


@pytest.mark.parametrize("path", ["/api/v1/watch", "/apis/apps/v1/proxy"])
def test_a_special_verb_alone_is_refused(path):
    """A path that ends after `watch` or `proxy` names nothing."""
    with pytest.raises(RequestInfoError, match="unable to determine kind and namespace from url"):
        parse("GET", path)


@pytest.mark.parametrize(
    ("query", "verb", "name"),
    [
        ("fieldSelector=metadata.name%3Da", "list", "a"),
        ("fieldSelector=metadata.name%3Da&watch=true", "watch", "a"),
        ("fieldSelector=metadata.name%3D%3Da,spec.x%3Dy", "list", "a"),
        ("fieldSelector=metadata.name!%3Da", "list", ""),
        ("fieldSelector=metadata.name%3Da,foo", "list", ""),
        ("fieldSelector=metadata.name%3Da,foo&watch=1", "watch", ""),
        ("fieldSelector=metadata.name%3Da&limit=x", "list", ""),
        ("fieldSelector=metadata.name%3Da&timeoutSeconds=99999999999999999999", "list", ""),
        ("fieldSelector=metadata.name%3Da&labelSelector=,,", "list", ""),
        ("fieldSelector=metadata.name%3D..", "list", ""),
        ("fieldSelector=metadata.name%3Da/b", "list", ""),
    ],
)
def test_a_field_selector_may_name_one_object(query, verb, name):
    """A collection request that asks for one name carries it, unless its options cannot be read."""
    info = parse("GET", f"/api/v1/pods?{query}")
    assert (info.verb, info.name) == (verb, name)
    assert info.field_selector.startswith("metadata.name")


def test_selectors_are_kept_where_they_count():
    """list, watch and deletecollection carry the selectors as sent; other verbs and the watch path do not."""
    query = "?fieldSelector=a%3Db&labelSelector=c%3Dd"
    for method in ("GET", "DELETE"):
        info = parse(method, f"/api/v1/pods{query}")
        assert (info.field_selector, info.label_selector) == ("a=b", "c=d")
    for url in (f"/api/v1/pods/a{query}", f"/api/v1/watch/pods{query}"):
        info = parse("GET", url)
        assert (info.field_selector, info.label_selector) == ("", "")


@given(
    st.text(alphabet="/abc", max_size=30),
    st.dictionaries(st.sampled_from(["watch", "fieldSelector", "limit"]), st.text()),
)
def test_no_path_breaks_it(path, query):
    """Whatever the path and the query, there is a RequestInfo or the one error that is documented."""
    for prefix in ("", "/api", "/apis", "/api/v1/watch", "/api/v1/namespaces"):
        try:
            info = request_info.parse("GET", prefix + path, query)
        except RequestInfoError:
            continue
        assert info.path == prefix + path
