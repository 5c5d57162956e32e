"""Flags and environment of a stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubehop.hop import settings
from kubehop.hop.settings import Flags, SettingsError, StageFlags


def stage(storage: bool = False) -> tuple[Flags, StageFlags]:
    flags = Flags("stage", "A stage.")
    return flags, StageFlags(flags, storage=storage)


def problems(flags: Flags, arguments: list[str], environment: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        flags.read(arguments, environment or {})
    return caught.value.problems


def test_command_line_environment_default() -> None:
    """The command line wins over the environment, the environment over the default; LOG_FORMAT works bare."""
    flags, of_stage = stage()
    environment = {"KUBEHOP_LISTEN": "unix:/run/e.sock", "LOG_FORMAT": "json", "KUBEHOP_LOG_LEVEL": "debug"}
    values = flags.read(["--log-level", "error"], environment)
    found = of_stage.settings(values)
    assert found.listen == "unix:/run/e.sock"
    assert (found.log.format, found.log.level) == ("json", "error")
    assert found.grace == 10.0
    assert found.tls is None
    values = flags.read(["--listen=unix:/run/c.sock"], {**environment, "KUBEHOP_LOG_FORMAT": "text"})
    assert of_stage.settings(values).listen == "unix:/run/c.sock"
    assert of_stage.settings(values).log.format == "text"


def test_all_problems_together() -> None:
    """Every problem is told at once, each with the flag or variable it came from."""
    flags, _ = stage(storage=True)
    found = problems(
        flags,
        ["--listen", "nowhere", "--log-format", "xml", "--shutdown-grace", "soon", "--colour", "red"],
        {"KUBEHOP_LOG_LEVEL": "loud"},
    )
    text = "\n".join(found)
    for part in (
        "unknown argument '--colour'",
        "--listen 'nowhere': 'nowhere': write host:port or unix:/path",
        "--log-format 'xml': write one of text, json",
        "--shutdown-grace 'soon': write a duration",
        "KUBEHOP_LOG_LEVEL 'loud'",
        "--storage is required (or KUBEHOP_STORAGE in the environment)",
    ):
        assert part in text, text


def test_exit_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    """parse() prints a line per problem and exits with status 2."""
    flags, _ = stage()
    with pytest.raises(SystemExit) as caught:
        flags.parse(["--listen"], {})
    assert caught.value.code == 2
    assert "stage: argument --listen: expected one argument" in capsys.readouterr().err


def test_help_names_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    """--help exits with status 0."""
    flags, _ = stage(storage=True)
    with pytest.raises(SystemExit) as caught:
        flags.parse(["--help"], {})
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for flag in ("--listen", "--tls-cert-file", "--log-format", "--storage", "--shutdown-grace"):
        assert flag in text


def test_tcp_needs_tls(tmp_path: Path) -> None:
    """TCP without certificates is refused, wherever the address stands; certificates come all three or not at all."""
    flags, _ = stage(storage=True)
    (line,) = problems(flags, ["--listen", "unix:/run/a.sock", "--storage", "storage:7443"])
    assert "storage:7443: TCP needs --tls-cert-file" in line
    found = problems(flags, ["--listen", "0.0.0.0:7443", "--storage", "unix:/s", "--tls-cert-file", "/nowhere.crt"])
    assert any("--tls-key-file, --tls-ca-file: certificate, key and CA belong together" in line for line in found)
    files = ["--tls-cert-file", "/nowhere.crt", "--tls-key-file", "/nowhere.key", "--tls-ca-file", "/nowhere-ca.crt"]
    found = problems(flags, ["--listen", "0.0.0.0:7443", "--storage", "unix:/s", *files])
    assert sum("No such file" in line for line in found) == 3


def test_tls_files_are_tried(authority, tmp_path: Path) -> None:
    """Files that are no certificates, or a key of another certificate, are told before anything starts."""
    flags, of_stage = stage()
    good, other = authority.issue("a"), authority.issue("b")
    junk = tmp_path / "junk"
    junk.write_text("not a certificate")

    def arguments(cert: Path, key: Path, ca: Path) -> list[str]:
        named = ["--tls-cert-file", str(cert), "--tls-key-file", str(key), "--tls-ca-file", str(ca)]
        return ["--listen", "127.0.0.1:0", *named]

    assert of_stage.settings(flags.read(arguments(good.cert, good.key, good.ca), {})).tls == good
    (line,) = problems(flags, arguments(good.cert, other.key, good.ca))
    assert "does not belong to" in line
    (line,) = problems(flags, arguments(good.cert, good.key, junk))
    assert str(junk) in line


def test_secrets_are_masked() -> None:
    """Neither the repr nor a complaint shows a secret."""
    flags = Flags("x", "x")
    key = flags.optional("--key", settings.text, help="k", secret=True)
    number = flags.optional("--pin", settings.integer(0, 9), help="p", secret=True)
    values = flags.read(["--key", "hunter2"], {})
    assert values[key] == "hunter2"
    assert values[number] is None
    assert "hunter2" not in repr(values)
    (line,) = problems(flags, ["--pin", "1234"])
    assert "1234" not in line


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("2h", 7200), ("7", 7), ("0", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    """Durations are written as in Kubernetes' flags, or as plain seconds."""
    assert settings.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "1x", "-1s", "nan", "1h nothing"])
def test_bad_durations(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="duration"):
        settings.seconds(text)


def test_other_kinds() -> None:
    """Booleans, lists, addresses and files."""
    assert settings.boolean("True")
    assert not settings.boolean("no")
    assert settings.names(" a, b,,c ") == ("a", "b", "c")
    assert settings.targets("a:1,unix:/b") == ("a:1", "unix:/b")
    for kind, text in ((settings.boolean, "maybe"), (settings.targets, ","), (settings.readable_file, "/nowhere")):
        with pytest.raises(ValueError, match=r".+"):
            kind(text)


def test_repeated_flags() -> None:
    """A flag that may be repeated gathers its values in order; in the environment commas separate them."""
    flags, _ = stage()
    keys = flags.repeated("--key", settings.integer(0, 9), help="keys")
    given = ["--listen=unix:/run/a.sock"]
    assert flags.read(given, {})[keys] == ()
    assert flags.read([*given, "--key=1", "--key=2"], {"KUBEHOP_KEY": "3"})[keys] == (1, 2)
    assert flags.read(given, {"KUBEHOP_KEY": "3, 4"})[keys] == (3, 4)
    assert "--key" in problems(flags, [*given, "--key=1", "--key=x"])[0]


def test_storage_may_be_optional() -> None:
    """A stage that only may read storage starts without it."""
    flags = Flags("stage", "A stage.")
    of_stage = StageFlags(flags, storage_optional=True)
    assert of_stage.settings(flags.read(["--listen=unix:/run/a.sock"], {})).storage == ()
    given = ["--listen=unix:/run/a.sock", "--storage=unix:/run/s.sock"]
    assert of_stage.settings(flags.read(given, {})).storage == ("unix:/run/s.sock",)
