"""What `kubehop up` is asked to do: typed, and checked as a whole before anything starts.

Made by up.py from the flags. Every check here is one that a process would otherwise fail with half a minute later, in a
log file.
"""

from __future__ import annotations

import csv
import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kubehop.cli import swapping

AUTHORIZATION_MODES: Final = ("Node", "RBAC", "AlwaysAllow", "AlwaysDeny")
CONNECT_TIMEOUT: Final = 3.0  # seconds for each --etcd-servers
WIDEST_RANGE: Final = {4: 12, 6: 108}  # kube-apiserver's limits: at most 20 bits of addresses


@dataclass(frozen=True, slots=True)
class Etcd:
    """An etcd that runs already; without `servers` kubehop starts its own."""

    servers: tuple[str, ...] = ()
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    unsafe_no_fsync: bool = False
    encryption_config: Path | None = None


@dataclass(frozen=True, slots=True)
class Serving:
    """Where clients come in."""

    bind_address: str = "127.0.0.1"
    secure_port: int = 6443
    gateways: int = 1

    @property
    def url(self) -> str:
        """The address for the kubeconfig: loopback where the gateway listens on every address."""
        address = ipaddress.ip_address(self.bind_address)
        if address.is_unspecified:
            address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
        return f"https://{address if address.version == 4 else f'[{address}]'}:{self.secure_port}"


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may come in and what is let through; names and meaning are kube-apiserver's."""

    token_auth_file: Path | None = None
    client_ca_file: Path | None = None
    anonymous_auth: bool = True
    authorization_modes: tuple[str, ...] = ("Node", "RBAC")
    service_cluster_ip_range: str = "10.96.0.0/16"
    allow_privileged: bool = True
    enable_admission_plugins: str = ""
    disable_admission_plugins: str = ""
    admission_control_config_file: Path | None = None


@dataclass(frozen=True, slots=True)
class UpSettings:
    """All of it."""

    etcd: Etcd
    serving: Serving
    policy: Policy
    swapped: Mapping[str, str] = field(default_factory=dict)
    """Stages that run elsewhere, by name, with their addresses."""

    def problems(self) -> list[str]:
        """Everything that is wrong, a line each; empty when all is well."""
        return [
            *_serving_problems(self.serving),
            *_policy_problems(self.policy),
            *_etcd_problems(self.etcd),
            *swapping.problems(self.swapped),
        ]


def _serving_problems(serving: Serving) -> Iterator[str]:
    if serving.gateways < 1:
        yield f"--gateways {serving.gateways}: at least one gateway is needed"
    if serving.gateways > 1 and not hasattr(socket, "SO_REUSEPORT"):
        yield f"--gateways {serving.gateways}: this system cannot share a port; use one gateway"
    if not 1 <= serving.secure_port <= 65535:
        yield f"--secure-port {serving.secure_port}: must be between 1 and 65535"
        return
    try:
        address = ipaddress.ip_address(serving.bind_address)
    except ValueError:
        yield f"--bind-address {serving.bind_address}: not an IP address (127.0.0.1 for this machine only)"
        return
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((serving.bind_address, serving.secure_port))
        except OSError as error:
            yield _bind_problem(serving, error)


def _bind_problem(serving: Serving, error: OSError) -> str:
    where = f"port {serving.secure_port} of {serving.bind_address}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use: end the program that listens there, or choose another with --secure-port"
    if error.errno == errno.EACCES:
        return f"{where} needs more rights than you have: choose one above 1023 with --secure-port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--bind-address {serving.bind_address}: this machine has no such address"
    return f"{where}: {error.strerror}"


def _policy_problems(policy: Policy) -> Iterator[str]:
    if policy.token_auth_file is not None:
        yield from _token_file_problems(policy.token_auth_file)
    if policy.client_ca_file is not None:
        yield from _pem_problems("--client-ca-file", policy.client_ca_file, "CERTIFICATE")
    for mode in policy.authorization_modes:
        if mode not in AUTHORIZATION_MODES:
            yield f"--authorization-mode: {mode!r} is not one of {', '.join(AUTHORIZATION_MODES)}"
    if len(set(policy.authorization_modes)) != len(policy.authorization_modes):
        yield f"--authorization-mode {','.join(policy.authorization_modes)}: a mode is named twice"
    yield from _range_problems(policy.service_cluster_ip_range)


def _range_problems(ranges: str) -> Iterator[str]:
    parts = ranges.split(",")
    if len(parts) > 2:
        yield f"--service-cluster-ip-range {ranges}: at most one IPv4 and one IPv6 range"
    versions = []
    for part in parts:
        try:
            network = ipaddress.ip_network(part, strict=False)
        except ValueError:
            yield f"--service-cluster-ip-range: {part!r} is not a range like 10.96.0.0/16"
            continue
        versions.append(network.version)
        widest = WIDEST_RANGE[network.version]
        if network.prefixlen < widest:
            yield f"--service-cluster-ip-range {part} is too large: the mask must be /{widest} or longer"
        elif network.num_addresses < 8:
            yield f"--service-cluster-ip-range {part} is too small: it must hold at least 8 addresses"
    if len(set(versions)) != len(versions):
        yield f"--service-cluster-ip-range {ranges}: the two ranges must be of different IP families"


def _token_file_problems(path: Path) -> Iterator[str]:
    """kube-apiserver's form: token,user,uid[,"group1,group2"]; tokens themselves are never shown."""
    try:
        with path.open(newline="") as file:
            for row in (reader := csv.reader(file)):
                if row and len(row) < 3:
                    yield f"--token-auth-file {path}, line {reader.line_num}: a line is token,user,uid[,groups]"
                elif row and not row[0]:
                    yield f"--token-auth-file {path}, line {reader.line_num}: the token is empty"
    except OSError as error:
        yield f"--token-auth-file {path}: {error.strerror}"
    except (csv.Error, UnicodeDecodeError):
        yield f"--token-auth-file {path}: not a CSV file"


def _etcd_problems(etcd: Etcd) -> Iterator[str]:
    for flag, path, kind in (
        ("--etcd-cafile", etcd.ca, "CERTIFICATE"),
        ("--etcd-certfile", etcd.cert, "CERTIFICATE"),
        ("--etcd-keyfile", etcd.key, "PRIVATE KEY"),
    ):
        if path is not None and not etcd.servers:
            yield f"{flag} is for an etcd of your own: name it with --etcd-servers too"
        elif path is not None:
            yield from _pem_problems(flag, path, kind)
    if etcd.encryption_config is not None and not os.access(etcd.encryption_config, os.R_OK):
        yield f"--encryption-provider-config {etcd.encryption_config}: cannot be read"
    if (etcd.cert is None) != (etcd.key is None):
        yield "--etcd-certfile and --etcd-keyfile belong together: give both or neither"
    if etcd.servers and etcd.unsafe_no_fsync:
        yield "--unsafe-no-fsync is for the etcd that kubehop starts: leave it away with --etcd-servers"
    refused = []
    for server in etcd.servers:
        try:
            url = urlsplit(server)
            host, port = url.hostname, url.port
        except ValueError:
            host = port = None
        if host is None or port is None or url.scheme not in ("http", "https"):
            yield f"--etcd-servers: {server!r} is not a URL like https://127.0.0.1:2379"
            return
        if reason := _unreachable(host, port):
            refused.append(f"{server}: {reason}")
    if etcd.servers and len(refused) == len(etcd.servers):
        yield f"--etcd-servers: none can be reached ({'; '.join(refused)}): start etcd first, or name others"


def _unreachable(host: str, port: int) -> str:
    """Why nobody answers there; "" when somebody does."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_TIMEOUT).close()
    except OSError as error:
        return str(error.strerror or error)
    return ""


def _pem_problems(flag: str, path: Path, kind: str) -> Iterator[str]:
    try:
        text = path.read_text()
    except OSError as error:
        yield f"{flag} {path}: {error.strerror}"
        return
    except UnicodeDecodeError:
        text = ""
    if f"{kind}-----" not in text:
        yield f"{flag} {path}: holds no PEM {kind.lower()}"
        return
    if kind == "CERTIFICATE":
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
        except ssl.SSLError:
            yield f"{flag} {path}: the certificate in it cannot be read"
