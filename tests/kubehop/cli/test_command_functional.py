"""The command line as a user meets it: mistakes cost one line and exit status 2, before anything starts."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

KUBEHOP = Path(sys.executable).parent / "kubehop"


def kubehop(*arguments, path=None, home=None):
    """Run the command; its path can be cut down to hide programs."""
    environment = {**os.environ, "COLUMNS": "120"}
    environment.pop("KUBEHOP_DATA_DIR", None)
    if path is not None:
        environment["PATH"] = str(path)
    if home is not None:
        environment["HOME"] = str(home)
    return subprocess.run(
        [KUBEHOP, *arguments], capture_output=True, text=True, check=False, env=environment, timeout=30
    )


def refused(done, *, status=2):
    """The one line that it printed."""
    assert done.returncode == status, done
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_a_busy_port(tmp_path):
    """Before keys are made or a process is started."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = refused(kubehop("up", "--data-dir", str(tmp_path / "d"), "--secure-port", str(port)))
    assert line == (
        f"kubehop: port {port} of 127.0.0.1 is in use: end the program that listens there, "
        f"or choose another with --secure-port"
    )
    assert not (tmp_path / "d" / "pki").exists()


def test_no_etcd(tmp_path, free_port):
    """The line says how to get it."""
    done = kubehop("up", "--data-dir", str(tmp_path), "--secure-port", free_port, path=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("kubehop: etcd is not on PATH: install it (")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "pki").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--secure-prot", "1"], "No such option"),
        (["--secure-port", "many"], "Invalid value for '--secure-port': 'many' is not a valid integer."),
        (["--allow-privileged=maybe"], "Invalid value for '--allow-privileged': 'maybe' is neither true nor false"),
        (["--authorization-mode", "Webook"], "--authorization-mode: 'Webook' is not one of Node, RBAC"),
        (["--token-auth-file", "/nowhere/t.csv"], "--token-auth-file /nowhere/t.csv: No such file or directory"),
        (["--etcd-servers", "localhost"], "--etcd-servers: 'localhost' is not a URL like https://127.0.0.1:2379"),
        (["extra"], "Got unexpected extra argument (extra)"),
    ],
)
def test_bad_flags_and_files(tmp_path, free_port, flags, message):
    """One line that names the flag."""
    assert message in refused(kubehop("up", "--data-dir", str(tmp_path), "--secure-port", free_port, *flags))


def test_several_mistakes_are_told_together(tmp_path):
    """A line each."""
    done = kubehop("up", "--data-dir", str(tmp_path), "--secure-port", "0", "--gateways", "0")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2


def test_a_directory_that_cannot_be_made(tmp_path):
    """The line names the flag to use."""
    (tmp_path / "file").write_text("")
    line = refused(kubehop("up", "--data-dir", str(tmp_path / "file" / "d")))
    assert "Not a directory" in line
    assert "--data-dir" in line


def test_unknown_commands_and_none():
    """Help for nothing, a line for the unknown."""
    assert "No such command 'start'" in refused(kubehop("start"))
    assert "Commands:" in kubehop().stdout
    for name in ("up", "down", "status", "logs", "pki", "kubeconfig"):
        assert kubehop(name, "--help").returncode == 0


def test_nothing_runs(tmp_path):
    """status fails, down has nothing to do, logs say who writes them."""
    assert kubehop("status", "--data-dir", str(tmp_path)).returncode == 1
    assert kubehop("down", "--data-dir", str(tmp_path)).returncode == 0
    assert "no logs in" in refused(kubehop("logs", "--data-dir", str(tmp_path)))


def test_pki_makes_shows_and_keeps(tmp_path):
    """The first call makes, the second only shows, --force sets the old ones aside."""
    first = kubehop("pki", "--out", str(tmp_path / "keys"))
    assert first.returncode == 0
    assert "made gateway/serving.crt, good until" in first.stdout
    again = kubehop("pki", "--out", str(tmp_path / "keys"))
    assert "made " not in again.stdout
    assert "gateway/serving.crt" in again.stdout
    named = kubehop("pki", "--out", str(tmp_path / "keys"), "--san", "api.example.org")
    assert "renewed (it lacked api.example.org) gateway/serving.crt" in named.stdout
    forced = kubehop("pki", "--out", str(tmp_path / "keys"), "--force")
    assert "the old keys and certificates are in " in forced.stdout
    assert len(list(tmp_path.glob("keys.replaced-*"))) == 1


def test_default_data_directory_is_in_the_home_directory(tmp_path):
    """~/.kubehop, for its owner only."""
    assert kubehop("pki", home=tmp_path).returncode == 0
    assert (tmp_path / ".kubehop" / "pki" / "gateway" / "serving.crt").exists()
    assert (tmp_path / ".kubehop").stat().st_mode & 0o777 == 0o700


def test_kubeconfig_for_another_address(tmp_path):
    """From the files of the admin alone."""
    kubehop("pki", "--out", str(tmp_path / "keys"))
    shutil.rmtree(tmp_path / "keys" / "authorities")
    done = kubehop(
        "kubeconfig",
        "--admin",
        str(tmp_path / "keys" / "admin"),
        "--server",
        "https://h:1",
        "--out",
        str(tmp_path / "k"),
    )
    assert done.returncode == 0
    assert "server: https://h:1" in (tmp_path / "k").read_text()
