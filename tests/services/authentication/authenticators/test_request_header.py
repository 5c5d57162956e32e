"""Proxies in front that say who the user is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED, DECISION_NO_OPINION, DECISION_REJECTED
from services.authentication.authenticators.request_header import HeaderNames, RequestHeaderAuthenticator
from services.authentication.authenticators.x509 import parse_bundle
from services.authentication.certificates import Pool
from services.authentication.files import WatchedFile
from services.authentication.identity import Credentials, Finding
from tests.services.authentication.certificates import NOW, Issued, authority, client, name

NAMES = HeaderNames(("x-remote-user", "x-remote-name"), ("x-remote-uid",), ("x-remote-group",), ("x-remote-extra-",))
GOOD = {"x-remote-user": ["carol"], "x-remote-group": ["a", "b"]}


@pytest.fixture
def proxies(tmp_path: Path) -> Issued:
    made = authority("proxies")
    (tmp_path / "ca.crt").write_bytes(made.pem)
    return made


def ask(directory: Path, headers: dict[str, list[str]], *chain: Issued, allowed: tuple[str, ...] = ()) -> Finding:
    roots: WatchedFile[Pool] = WatchedFile(directory / "ca.crt", lambda data: parse_bundle("ca.crt", data))
    authenticator = RequestHeaderAuthenticator(roots, allowed, NAMES, NOW.timestamp)
    credentials = Credentials([each.der for each in chain], headers, "GET", "/api", ())
    found = authenticator.authenticate(credentials, [])
    assert isinstance(found, Finding)
    return found


def test_a_proxy_is_believed(tmp_path: Path, proxies: Issued) -> None:
    """Name, uid, groups and extra come from the headers; keys of extra are unescaped."""
    headers = {
        **GOOD,
        "x-remote-uid": ["7"],
        "x-remote-extra-acme.com%2fscope": ["x", "y"],
        "x-remote-extra-%zz": ["z"],
    }
    finding = ask(tmp_path, headers, client(proxies, name("front")), allowed=("front",))
    assert finding.decision == DECISION_AUTHENTICATED
    assert finding.user is not None
    assert (finding.user.username, finding.user.uid, finding.user.groups) == ("carol", "7", ("a", "b"))
    assert finding.user.extra == {"acme.com/scope": ("x", "y"), "%zz": ("z",)}


def test_the_first_header_that_is_there_counts(tmp_path: Path, proxies: Issued) -> None:
    """An empty header does not hide the next one."""
    headers = {"x-remote-user": [""], "x-remote-name": ["dave"]}
    finding = ask(tmp_path, headers, client(proxies))
    assert finding.user is not None
    assert finding.user.username == "dave"


def test_nobody_else_is_believed(tmp_path: Path, proxies: Issued) -> None:
    """No certificate, no user name: no opinion. A stranger's, an expired or a wrongly named certificate: rejected."""
    front = client(proxies, name("front"))
    assert ask(tmp_path, GOOD).decision == DECISION_NO_OPINION
    assert ask(tmp_path, {"x-remote-group": ["system:masters"]}, front).decision == DECISION_NO_OPINION
    late = client(proxies, name("front"), not_before=NOW - timedelta(days=2), not_after=NOW - timedelta(days=1))
    for each, allowed in ((client(authority("others")), ()), (late, ()), (front, ("another",))):
        assert ask(tmp_path, GOOD, each, allowed=allowed).decision == DECISION_REJECTED
