"""The AuthenticationConfiguration file, and the flags beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.authentication import settings
from services.authentication.configuration import Configuration, configuration_file
from services.authentication.identity import Credentials, Finding

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"


def written(directory: Path, text: str) -> str:
    (directory / "authn.yaml").write_text(text)
    return str(directory / "authn.yaml")


def test_anonymous_on_some_paths(tmp_path: Path) -> None:
    """The conditions name the paths that are open to everybody, and no others are."""
    file = written(tmp_path, HEAD + "anonymous:\n  enabled: true\n  conditions: [{path: /livez}, {path: /readyz}]\n")
    assert configuration_file(file) == Configuration(True, frozenset({"/livez", "/readyz"}))
    found = settings.read(["--listen=unix:/tmp/a.sock", f"--authentication-config={file}"]).authentication
    assert found.anonymous

    from services.authentication.chain import Chain

    chain = Chain(found).authenticator
    for path, let_in in (("/livez", True), ("/livez/ping", False), ("/api", False)):
        finding = chain.authenticate(Credentials((), {}, "GET", path, ()), [])
        assert isinstance(finding, Finding)
        assert (finding.user is not None) is let_in


def test_what_the_file_does_not_say(tmp_path: Path) -> None:
    """Without a word about anonymous requests the flag counts, and its default lets them in."""
    file = written(tmp_path, HEAD)
    assert configuration_file(file) == Configuration()
    given = ["--listen=unix:/tmp/a.sock", f"--authentication-config={file}"]
    assert settings.read(given).authentication.anonymous
    assert not settings.read([*given, "--anonymous-auth=false"]).authentication.anonymous


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "not YAML"),
        ("7", "write an AuthenticationConfiguration"),
        ("kind: Pod\n", "apiVersion and kind"),
        (HEAD + "jwt: [{issuer: {url: https://x}}]\n", "no JWT authenticators"),
        (HEAD + "more: 1\n", 'unknown field "more"'),
        (HEAD + "anonymous: {enabled: maybe}\n", "write true or false"),
        (HEAD + "anonymous: {enabled: false, conditions: [{path: /a}]}\n", "enabled should be set to true"),
        (HEAD + "anonymous: {enabled: true, conditions: [{path: 7}]}\n", "conditions[0].path"),
        (HEAD + "anonymous: {enabled: true, conditions: [{user: x}]}\n", "conditions[0].path"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """A file that is not understood in full is not obeyed in part."""
    with pytest.raises(ValueError, match="authn") as caught:
        configuration_file(written(tmp_path, text))
    assert words in str(caught.value)


def test_the_flag_and_the_file_do_not_contradict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who is let in anonymously is said in one place; tokens need to know where storage is."""
    file = written(tmp_path, HEAD + "anonymous: {enabled: true}\n")
    key = str(tmp_path / "key")
    Path(key).write_text("x")
    with pytest.raises(SystemExit):
        settings.read(
            [
                "--listen=unix:/tmp/a.sock",
                f"--authentication-config={file}",
                "--anonymous-auth=true",
                f"--service-account-key-file={key}",
                f"--requestheader-client-ca-file={key}",
                "--requestheader-group-headers=Groups",
                "--enable-bootstrap-token-auth=true",
            ]
        )
    told = capsys.readouterr().err
    for words in (
        "--anonymous-auth: cannot be set",
        "tokens of service accounts are good only while",
        "bootstrap tokens are secrets",
        "--requestheader-username-headers: name at least one",
        "only headers that begin with X-Remote-",
    ):
        assert words in told
