"""A stage of somebody's own in the place of ours: the authorizer of examples/stages, in plain grpcio."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import up

ROOT = Path(__file__).resolve().parents[3]
TOKENS = 'admin-token,admin,1,"system:masters"\nalice-token,alice,2,developers\nbob-token,bob,3,\n'


@pytest.fixture
def office_hours() -> Iterator[str]:
    """The example authorizer, running."""
    with tempfile.TemporaryDirectory(prefix="kh-") as directory:
        address = f"unix:{directory}/stage.sock"
        stage = ROOT / "examples" / "stages" / "office-hours" / "stage.py"
        with subprocess.Popen([sys.executable, str(stage), address]) as process:
            end = time.monotonic() + 20
            while not Path(address.removeprefix("unix:")).is_socket():
                assert process.poll() is None, "the example stage ended"
                assert time.monotonic() < end, "the example stage did not start"
                time.sleep(0.05)
            yield address
            process.terminate()


def test_the_example_authorizer_decides(office_hours: str, tmp_path: Path) -> None:
    """Its verdicts and its words are what clients get, and no authorization of ours runs."""
    tokens = tmp_path / "tokens.csv"
    tokens.write_text(TOKENS)
    with up.running("--token-auth-file", str(tokens), "--authorization", office_hours) as cluster:
        assert "authorization  " not in cluster.output.read_text()
        assert cluster.kubectl("get", "namespaces", "--token", "admin-token").returncode == 0
        alice = ("--kubeconfig", "/dev/null", "--server", cluster.server, "--insecure-skip-tls-verify", "--token")
        assert "default" in cluster.kubectl("get", "namespaces", *alice, "alice-token").stdout
        denied = cluster.kubectl("delete", "namespace", "default", *alice, "alice-token", check=False)
        assert "nobody deletes here" in denied.stderr
        unheard = cluster.kubectl("get", "namespaces", *alice, "bob-token", check=False)
        assert "not my office" in unheard.stderr


def test_bad_addresses_are_refused_before_the_start(tmp_path: Path) -> None:
    """Each in one line, exit status 2."""
    command = [
        str(Path(sys.executable).parent / "kubehop"),
        "up",
        "--data-dir",
        str(tmp_path),
        "--secure-port",
        str(up.free_port()),
        "--admission",
        "nonsense",
        "--storage",
        "unix:/no/such.sock",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "--admission nonsense: write unix:/path or host:port" in done.stdout + done.stderr
    assert "--storage unix:/no/such.sock: no socket is there" in done.stdout + done.stderr
