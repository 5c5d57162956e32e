"""The gateway's settings: flags and environment, read once, grouped by theme.

`gateway.__main__` calls `parse`; each part gets its group. Every flag may come from the environment as
KUBEHOP_<FLAG_IN_CAPITALS>. All problems are reported together, and the process exits with status 2.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.allocation import PortRange
from kubehop.hop import addresses
from kubehop.hop.logs import LogSettings
from kubehop.hop.settings import (
    Flag,
    Flags,
    LogFlags,
    TLSFlags,
    Values,
    boolean,
    integer,
    readable_file,
    seconds,
    targets,
)
from kubehop.hop.tls import TLSFiles

LARGEST_PORT = 65535
DEFAULT_NODE_PORTS = PortRange(30000, 32767)
_MANY = 1_000_000


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """The HTTPS port."""

    bind_address: str
    """Address to listen on; 0.0.0.0 or :: for all."""
    secure_port: int
    """Port to listen on; default 6443, as kube-apiserver."""
    cert_file: Path
    """Serving certificate, PEM, followed by intermediates."""
    key_file: Path
    """Private key of the serving certificate."""
    client_ca_file: Path | None
    """Authorities of client certificates; without it none are asked for."""
    reuse_port: bool = False
    """Share the port with other gateways (SO_REUSEPORT): the kernel spreads connections."""
    cors_allowed_origins: tuple[re.Pattern[str], ...] = ()
    """Patterns of the Origin of pages that may read answers; none by default."""
    proxy_ca_file: Path | None = None
    """Authorities of the certificates of proxies in front; which is whose, the authentication stage tells apart."""

    @property
    def authority_files(self) -> tuple[Path, ...]:
        """Everybody whose certificates get through the handshake."""
        return tuple(path for path in (self.client_ca_file, self.proxy_ca_file) if path is not None)


@dataclass(frozen=True, slots=True)
class StageSettings:
    """Where the stages are."""

    authentication: tuple[str, ...]
    authorization: tuple[str, ...]
    admission: tuple[str, ...]
    storage: tuple[str, ...]
    tls: TLSFiles | None
    """Certificate of this gateway on hops over TCP; not needed over unix sockets."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """How much at once and how long."""

    max_requests_in_flight: int = 400
    """Reading requests served at once; 0 for no limit."""
    max_mutating_requests_in_flight: int = 200
    """Mutating requests served at once; 0 for no limit."""
    request_timeout: float = 60.0
    """Seconds that a request may take, watches aside."""
    min_request_timeout: float = 1800.0
    """Seconds that a watch without timeoutSeconds lasts at least; at most twice that, at random."""
    shutdown_delay: float = 0.0
    """Seconds between SIGTERM and turning requests away, for load balancers to notice readyz."""


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """What the bootstrap objects and some kinds depend on."""

    service_cluster_ip_range: tuple[str, ...]
    """Ranges that Services get their addresses from; default 10.96.0.0/16."""
    allow_privileged: bool
    """Whether pods may be privileged; default false, as kube-apiserver."""
    service_node_port_range: PortRange = DEFAULT_NODE_PORTS
    """Ports of nodes that Services may have; default 30000-32767, as kube-apiserver."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them."""

    serving: ServingSettings
    stages: StageSettings
    limits: LimitSettings
    cluster: ClusterSettings
    log: LogSettings


def ip_address(value: str) -> str:
    """An address of this machine to listen on."""
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        raise ValueError("write an IP address") from None


def networks(value: str) -> tuple[str, ...]:
    """Address ranges separated by commas."""
    try:
        return tuple(str(ipaddress.ip_network(part.strip())) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{error}; write ranges such as 10.96.0.0/16") from None


def port_range(value: str) -> PortRange:
    """Ports from the first to the last: `30000-32767`, or `30000+2767`."""
    first, dash, last = value.strip().partition("-")
    if not dash:
        first, dash, last = value.strip().partition("+")
    if not (dash and first.isdecimal() and last.isdecimal()):
        raise ValueError("write a range such as 30000-32767")
    found = PortRange(int(first), int(first) + int(last) if "+" in value else int(last))
    if not 0 < found.first <= found.last <= LARGEST_PORT:
        raise ValueError(f"write ports from 1 to {LARGEST_PORT}, the lower one first")
    return found


def patterns(value: str) -> tuple[re.Pattern[str], ...]:
    """Regular expressions separated by commas."""
    try:
        return tuple(re.compile(part) for part in value.split(",") if part)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None


class GatewayFlags:
    """All flags of the gateway."""

    def __init__(self) -> None:
        flags = self.flags = Flags("python -m gateway", "The HTTPS front of kubehop.")
        self._address = flags.add("--bind-address", ip_address, default="0.0.0.0", help="address to listen on")  # noqa: S104 - as kube-apiserver
        self._port = flags.add("--secure-port", integer(1, LARGEST_PORT), default="6443", help="port to listen on")
        self._cert = flags.require("--tls-cert-file", readable_file, help="serving certificate (PEM)")
        self._key = flags.require("--tls-private-key-file", readable_file, help="its private key (PEM)")
        self._client_ca = flags.optional(
            "--client-ca-file", readable_file, help="authorities of client certificates (PEM)"
        )
        self._proxy_ca = flags.optional(
            "--requestheader-client-ca-file", readable_file, help="authorities of proxies in front (PEM)"
        )
        self._reuse = flags.add("--reuse-port", boolean, default="false", help="share the port with other gateways")
        self._origins = flags.add(
            "--cors-allowed-origins", patterns, default="", help="patterns of origins, separated by commas"
        )
        self._stages: dict[str, Flag[tuple[str, ...]]] = {
            stage: flags.require(
                f"--{stage}", targets, help=f"replicas of the {stage} stage: unix:/path or host:port, comma-separated"
            )
            for stage in ("authentication", "authorization", "admission", "storage")
        }
        self._tls = TLSFlags(flags, prefix="hop")
        count = integer(0, _MANY)
        self._reading = flags.add(
            "--max-requests-inflight", count, default="400", help="reading requests at once, 0 for no limit"
        )
        self._mutating = flags.add(
            "--max-mutating-requests-inflight", count, default="200", help="mutating requests at once, 0 for no limit"
        )
        self._timeout = flags.add("--request-timeout", seconds, default="1m", help="how long a request may take")
        self._watch = flags.add(
            "--min-request-timeout", seconds, default="1800", help="seconds that a watch lasts at least"
        )
        self._delay = flags.add(
            "--shutdown-delay-duration", seconds, default="0s", help="time between SIGTERM and turning requests away"
        )
        self._ranges = flags.add(
            "--service-cluster-ip-range", networks, default="10.96.0.0/16", help="ranges of service addresses"
        )
        self._node_ports = flags.add(
            "--service-node-port-range", port_range, default=str(DEFAULT_NODE_PORTS), help="ports of services on nodes"
        )
        self._privileged = flags.add("--allow-privileged", boolean, default="false", help="allow privileged pods")
        self._log = LogFlags(flags)
        flags.check(self._check_serving)
        flags.check(self._check_stages)

    def settings(self, values: Values) -> Settings:
        """Return the values of these flags, grouped."""
        return Settings(
            ServingSettings(
                values[self._address],
                values[self._port],
                values[self._cert],
                values[self._key],
                values[self._client_ca],
                values[self._reuse],
                values[self._origins],
                values[self._proxy_ca],
            ),
            StageSettings(**{stage: values[flag] for stage, flag in self._stages.items()}, tls=self._tls.files(values)),
            LimitSettings(
                values[self._reading],
                values[self._mutating],
                values[self._timeout],
                values[self._watch],
                values[self._delay],
            ),
            ClusterSettings(values[self._ranges], values[self._privileged], values[self._node_ports]),
            self._log.settings(values),
        )

    def _check_serving(self, values: Values) -> Iterable[str]:
        if values.sound(self._cert, self._key) and values[self._cert] and values[self._key]:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(values[self._cert], values[self._key])
            except (ssl.SSLError, OSError) as error:
                yield f"--tls-cert-file and --tls-private-key-file do not go together: {error}"
        for flag in (self._client_ca, self._proxy_ca):
            authorities = values[flag]
            if authorities is not None:
                try:
                    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(authorities)
                except (ssl.SSLError, OSError) as error:
                    yield f"{flag.name} {authorities}: holds no certificates ({error})"

    def _check_stages(self, values: Values) -> Iterable[str]:
        used = [name for flag in self._stages.values() if values.sound(flag) for name in values[flag] or ()]
        over_tcp = [name for name in used if addresses.socket_path(name) is None]
        if over_tcp and self._tls.absent(values):
            needed = "--hop-cert-file, --hop-key-file and --hop-ca-file"
            yield f"{', '.join(over_tcp)}: TCP needs {needed}; give them or use unix:/path"


def parse(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings; problems are printed, each on a line, and end the process with status 2."""
    flags = GatewayFlags()
    return flags.settings(flags.flags.parse(arguments, environment))
