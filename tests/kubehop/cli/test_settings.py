"""Settings of `kubehop up`: every mistake is found before anything starts."""

import dataclasses
import socket
from pathlib import Path

import pytest

from kubehop.cli import credentials
from kubehop.cli.settings import Etcd, Policy, Serving, UpSettings


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def problems(free_port, **changes):
    parts = {"etcd": Etcd(), "serving": Serving(secure_port=free_port), "policy": Policy()}
    for name, value in changes.items():
        part, field = name.split("__")
        parts[part] = dataclasses.replace(parts[part], **{field: value})
    return UpSettings(**parts).problems()


def test_defaults_are_fine(free_port):
    """Nothing to complain about."""
    assert problems(free_port) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"serving__secure_port": 0}, "--secure-port 0: must be between 1 and 65535"),
        ({"serving__bind_address": "localhost"}, "--bind-address localhost: not an IP address"),
        ({"serving__bind_address": "192.0.2.1"}, "--bind-address 192.0.2.1: this machine has no such address"),
        ({"serving__gateways": 0}, "--gateways 0: at least one gateway"),
        ({"policy__authorization_modes": ("RBAC", "Rbac")}, "--authorization-mode: 'Rbac' is not one of Node, RBAC"),
        ({"policy__authorization_modes": ("RBAC", "RBAC")}, "--authorization-mode RBAC,RBAC: a mode is named twice"),
        ({"policy__service_cluster_ip_range": "10.96.0.0"}, "--service-cluster-ip-range 10.96.0.0 is too small"),
        ({"policy__service_cluster_ip_range": "10.0.0.0/8"}, "10.0.0.0/8 is too large: the mask must be /12"),
        ({"policy__service_cluster_ip_range": "x"}, "'x' is not a range like 10.96.0.0/16"),
        ({"policy__service_cluster_ip_range": "10.96.0.0/16,10.97.0.0/16"}, "must be of different IP families"),
        ({"policy__token_auth_file": Path("/nowhere")}, "--token-auth-file /nowhere: No such file or directory"),
        ({"policy__client_ca_file": Path("/nowhere")}, "--client-ca-file /nowhere: No such file or directory"),
        ({"etcd__servers": ("127.0.0.1:2379",)}, "'127.0.0.1:2379' is not a URL like https://127.0.0.1:2379"),
        ({"etcd__servers": ("https://127.0.0.1:1",)}, "none can be reached (https://127.0.0.1:1: Connection refused)"),
        (
            {"etcd__servers": ("https://127.0.0.1:1",), "etcd__unsafe_no_fsync": True},
            "--unsafe-no-fsync is for the etcd that",
        ),
        ({"etcd__cert": Path("/c")}, "--etcd-certfile is for an etcd of your own"),
    ],
)
def test_each_mistake_has_its_line(free_port, changes, message):
    """The flag is named, and what would be right."""
    found = problems(free_port, **changes)
    assert any(message in line for line in found), found
    assert all("\n" not in line for line in found)


def test_a_busy_port_is_told_with_the_way_out(free_port):
    """The line names the flag."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        assert problems(free_port) == [
            (
                f"port {free_port} of 127.0.0.1 is in use: end the program that listens there, "
                f"or choose another with --secure-port"
            )
        ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("secret-token,jane\n", "line 1: a line is token,user,uid[,groups]"),
        ('t,u,1,"a,b"\n,u,1\n', "line 2: the token is empty"),
        ('t,u,1\n\n"unclosed', "line 3"),
        (b"\xff\xfe", "not a CSV file"),
    ],
)
def test_token_files_are_read_beforehand(tmp_path, free_port, text, message):
    """The line is named, and no token is shown."""
    path = tmp_path / "tokens.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = problems(free_port, policy__token_auth_file=path)
    assert len(found) == 1
    assert message in found[0]
    assert "secret-token" not in found[0]


def test_a_good_token_file_and_authority_pass(tmp_path, free_port):
    """kube-apiserver's form, with and without groups."""
    (tmp_path / "tokens.csv").write_text('t1,jane,1,"a,b"\nt2,joe,2\n')
    credentials.ensure(tmp_path / "pki", [], lambda _: None)
    ca = tmp_path / "pki" / "authorities" / "clients.crt"
    assert problems(free_port, policy__token_auth_file=tmp_path / "tokens.csv", policy__client_ca_file=ca) == []
    ca.write_text("-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n")
    assert problems(free_port, policy__client_ca_file=ca) == [
        f"--client-ca-file {ca}: the certificate in it cannot be read"
    ]


def test_kubeconfig_address_of_a_gateway_on_all_addresses():
    """Clients on this machine come over loopback."""
    assert Serving("0.0.0.0", 6443).url == "https://127.0.0.1:6443"
    assert Serving("::", 6443).url == "https://[::1]:6443"
    assert Serving("192.0.2.7", 443).url == "https://192.0.2.7:443"
