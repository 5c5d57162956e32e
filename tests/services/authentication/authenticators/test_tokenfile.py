"""Token files: what is read, what is refused, and whom a token names."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from kubehop.pb.authentication.v1 import DECISION_AUTHENTICATED, DECISION_NO_OPINION
from services.authentication.authenticators.tokenfile import TokenFileAuthenticator, parse
from services.authentication.files import BadFileError, WatchedFile
from services.authentication.identity import Credentials, Finding, User

AUDIENCE = "https://kubernetes.default.svc"


def users(text: str) -> dict[str, User]:
    return parse("tokens.csv", text.encode()).users


def test_reads_users_uids_and_groups() -> None:
    """A line names user and uid, and its optional fourth column the groups."""
    read = users('t1,alice,u1,"dev,ops"\r\n\nt2,bob,u2\nt3,"o""hara, j",u3,single,ignored\n"t4","multi\nline",u4')
    assert read == {
        "t1": User("alice", "u1", ("dev", "ops")),
        "t2": User("bob", "u2"),
        "t3": User('o"hara, j', "u3", ("single",)),
        "t4": User("multi\nline", "u4"),
    }


def test_an_empty_group_column_is_one_empty_group() -> None:
    """As Go splits it: kube-apiserver has this group too."""
    assert users("t,u,1,\n")["t"].groups == ("",)


def test_empty_and_duplicate_tokens_are_warned_about() -> None:
    """Empty tokens are skipped, the last of equal tokens counts, and neither is repeated in the warning."""
    table = parse("f", b"secret,alice,1\n,bob,2\nsecret,carol,3\n")
    assert list(table.users) == ["secret"]
    assert table.users["secret"].username == "carol"
    assert table.warnings == (
        "empty token has been found in token file 'f', record number '2'",
        "duplicate token has been found in token file 'f', record number '3'",
    )
    assert "secret" not in repr(table)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a,b\n", "token file 'tokens.csv' must have at least 3 columns (token, user name, user uid), found 2"),
        ('a,b"c,d\n', 'parse error on line 1, column 4: bare " in non-quoted field'),
        ('x,y,z\na,"b"c,d\n', 'parse error on line 2, column 5: extraneous or missing " in quoted-field'),
        ('a,"b\nc\n', 'record on line 1; parse error on line 2, column 3: extraneous or missing " in quoted-field'),
    ],
)
def test_a_broken_file_is_refused_in_go_s_words(text: str, problem: str) -> None:
    """Errors are those of kube-apiserver, line and column included."""
    with pytest.raises(BadFileError) as refused:
        users(text)
    assert str(refused.value) == problem


def ask(tmp_path: Path, token: str, *audiences: str) -> Finding:
    path = tmp_path / "tokens.csv"
    path.write_text("t1,alice,u1\n")
    authenticator = TokenFileAuthenticator(WatchedFile(path, partial(parse, str(path))), (AUDIENCE,))
    finding = authenticator.authenticate_token(token, Credentials((), {}, "GET", "/", audiences))
    assert isinstance(finding, Finding)
    return finding


def test_a_known_token_names_its_user(tmp_path: Path) -> None:
    """A token of the file is its user's, for the API server's audience."""
    finding = ask(tmp_path, "t1", AUDIENCE)
    assert finding.decision == DECISION_AUTHENTICATED
    assert finding.user == User("alice", "u1")
    assert finding.audiences == (AUDIENCE,)


def test_an_unknown_token_is_no_opinion(tmp_path: Path) -> None:
    """Another authenticator may know it; the reason does not repeat it."""
    finding = ask(tmp_path, "hunter2", AUDIENCE)
    assert finding.decision == DECISION_NO_OPINION
    assert "hunter2" not in finding.reason


def test_only_the_api_server_s_audiences_are_served(tmp_path: Path) -> None:
    """A token without audiences is good for the API server's own only."""
    assert ask(tmp_path, "t1", "vault").decision == DECISION_NO_OPINION
    assert ask(tmp_path, "t1", "vault", AUDIENCE).audiences == (AUDIENCE,)
