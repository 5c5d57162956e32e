"""The kubeconfig: complete, private, and the user's as much as ours."""

import base64
import stat

import pytest
import yaml

from kubehop.cli import credentials, kubeconfig
from kubehop.cli.errors import CommandError

SERVER = "https://127.0.0.1:6443"


@pytest.fixture
def admin(tmp_path):
    credentials.ensure(tmp_path / "pki", [], lambda _: None)
    return tmp_path / "pki" / "admin"


def test_everything_is_embedded_and_private(tmp_path, admin):
    """One file is enough for kubectl, and only its owner can read it."""
    path = tmp_path / "kubeconfig"
    assert kubeconfig.write(path, SERVER, admin)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = yaml.safe_load(path.read_text())
    assert document["current-context"] == "kubehop"
    assert document["clusters"][0]["cluster"]["server"] == SERVER
    user = document["users"][0]["user"]
    assert base64.b64decode(user["client-certificate-data"]) == (admin / "client.crt").read_bytes()
    assert base64.b64decode(user["client-key-data"]) == (admin / "client.key").read_bytes()


def test_unchanged_is_left_alone(tmp_path, admin):
    """The second write does nothing."""
    path = tmp_path / "kubeconfig"
    kubeconfig.write(path, SERVER, admin)
    assert not kubeconfig.write(path, SERVER, admin)


def test_what_the_user_wrote_stays(tmp_path, admin):
    """Another port changes the server and neither the namespace nor foreign clusters."""
    path = tmp_path / "kubeconfig"
    kubeconfig.write(path, SERVER, admin)
    document = yaml.safe_load(path.read_text())
    document["contexts"][0]["context"]["namespace"] = "shop"
    document["clusters"].append({"name": "mine", "cluster": {"server": "https://elsewhere"}})
    document["current-context"] = "mine"
    path.write_text(yaml.safe_dump(document))
    assert kubeconfig.write(path, "https://127.0.0.1:7443", admin)
    after = yaml.safe_load(path.read_text())
    assert after["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:7443"
    assert after["clusters"][1] == {"name": "mine", "cluster": {"server": "https://elsewhere"}}
    assert after["contexts"][0]["context"]["namespace"] == "shop"
    assert after["current-context"] == "mine"


def test_a_file_that_is_no_kubeconfig_is_not_overwritten(tmp_path, admin):
    """It is named, and stays."""
    path = tmp_path / "kubeconfig"
    path.write_text("- a\n- list\n")
    with pytest.raises(CommandError, match="not a kubeconfig"):
        kubeconfig.write(path, SERVER, admin)
    assert path.read_text() == "- a\n- list\n"
