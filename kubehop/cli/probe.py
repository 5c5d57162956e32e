"""Is it ready? One question to one process, with the standard library only.

Called by the supervisor every few milliseconds while processes start, by `kubehop status`, and as
`python -m kubehop.cli.probe` by the health checks of compose.yaml. Stages are asked over grpc.health.v1, the gateway
and etcd over HTTPS. grpc.health.v1 is spoken by hand (one HTTP/2 stream, a fixed request): loading grpcio would cost
each health check a hundred milliseconds of CPU and the supervisor twenty megabytes.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl

HEADERS_FRAME: Final = 1
DATA_FRAME: Final = 0
RST_FRAME: Final = 3
SETTINGS_FRAME: Final = 4
GOAWAY_FRAME: Final = 7
ACK: Final = 1
END_STREAM: Final = 1
END_HEADERS: Final = 4
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LARGEST_ANSWER: Final = 1 << 20
SERVING_STATUS: Final = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}


@dataclass(frozen=True, slots=True)
class Probe:
    """Where to ask and how. `path` is empty for grpc.health.v1, else the path of an HTTPS GET that answers 200.

    `target` is `unix:/path` or `host:port`; the files are PEM and empty for a unix socket. `name` is the name that the
    server's certificate must carry, by default the host of the target. `port` is set where several processes share one
    port: ready means then that the process listens there itself, too.
    """

    target: str
    path: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    name: str = ""
    port: int = 0

    def context(self) -> ssl.SSLContext | None:
        """TLS settings for this probe, to be made once and used for every attempt; None for a unix socket."""
        if self.target.startswith("unix:"):
            return None
        import ssl  # five megabytes: only in processes that need it

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.ca)
        if self.cert:
            context.load_cert_chain(self.cert, self.key)
        if not self.path:
            context.set_alpn_protocols(["h2"])
        return context


def check(probe: Probe, timeout: float, context: ssl.SSLContext | None = None) -> str:
    """Ask once, for at most about `timeout` seconds. "" means ready, anything else is why not."""
    try:
        with _connect(probe, timeout, context or probe.context()) as connection:
            return _get(connection, probe) if probe.path else _health(connection, probe)
    except TimeoutError:
        return f"no answer within {timeout:g} s"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None)  # that of an ssl.SSLError
        return f"TLS: {reason}" if reason else str(getattr(error, "strerror", None) or error)


def _connect(probe: Probe, timeout: float, context: ssl.SSLContext | None) -> socket.socket:
    if probe.target.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(probe.target.removeprefix("unix:"))
        except BaseException:
            connection.close()
            raise
        return connection
    host, port = split_host_port(probe.target)
    plain = socket.create_connection((host, port), timeout=timeout)
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=probe.name or host)
    except BaseException:
        plain.close()
        raise


def split_host_port(target: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port` as a pair."""
    host, _, port = target.rpartition(":")
    return host.strip("[]"), int(port)


def _get(connection: socket.socket, probe: Probe) -> str:
    connection.sendall(f"GET {probe.path} HTTP/1.1\r\nHost: {probe.target}\r\nConnection: close\r\n\r\n".encode())
    answer = b""
    while len(answer) < LARGEST_ANSWER and (part := connection.recv(65536)):
        answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status = head.split(b" ", 2)[1:2]
    if status == [b"200"]:
        return ""
    if not status:
        return "connection closed without an answer"
    failing = [line for line in body.decode(errors="replace").splitlines() if line.startswith("[-]")]
    return f"HTTP {status[0].decode(errors='replace')}{': ' + failing[0] if failing else ''}"


def _health(connection: socket.socket, probe: Probe) -> str:
    """One call of /grpc.health.v1.Health/Check with an empty request (RFC 9113 frames, RFC 7541 literal fields)."""
    fields = (
        (":method", "POST"),
        (":scheme", "http" if probe.target.startswith("unix:") else "https"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", "localhost" if probe.target.startswith("unix:") else probe.target),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    )
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)
    connection.sendall(
        PREFACE
        + _frame(SETTINGS_FRAME, 0, 0, b"")
        + _frame(HEADERS_FRAME, END_HEADERS, 1, block)
        + _frame(DATA_FRAME, END_STREAM, 1, b"\0\0\0\0\0")
    )
    message = b""
    for kind, flags, stream, payload in _frames(connection):
        if kind == SETTINGS_FRAME and not flags & ACK:
            connection.sendall(_frame(SETTINGS_FRAME, ACK, 0, b""))
        elif kind == GOAWAY_FRAME or (kind == RST_FRAME and stream == 1):
            return "the stage closed the connection"
        elif kind == DATA_FRAME and stream == 1:
            message += payload
            if len(message) >= 5 and len(message) >= 5 + struct.unpack(">I", message[1:5])[0]:
                return _verdict(message[5:])
        elif kind == HEADERS_FRAME and flags & END_STREAM:
            return "the stage does not answer grpc.health.v1"
    return "connection closed without an answer"


def _verdict(message: bytes) -> str:
    """HealthCheckResponse has one field: status, number 1, a varint."""
    status = message[1] if message[:1] == b"\x08" and len(message) > 1 else 0
    return "" if status == 1 else SERVING_STATUS.get(status, str(status))


def _text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _frames(connection: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
    received = b""
    while len(received) < LARGEST_ANSWER:
        while len(received) >= 9:
            length = int.from_bytes(received[:3])
            if len(received) < 9 + length:
                break
            yield received[3], received[4], int.from_bytes(received[5:9]) & 0x7FFFFFFF, received[9 : 9 + length]
            received = received[9 + length :]
        part = connection.recv(65536)
        if not part:
            return
        received += part


def main() -> int:
    """`python -m kubehop.cli.probe TARGET [--path /readyz] [--ca F] [--cert F] [--key F] [--name N]`; 0 when ready."""
    import argparse

    parser = argparse.ArgumentParser(prog="kubehop.cli.probe", description="Ask a process once whether it is ready.")
    parser.add_argument("target", help="unix:/path or host:port")
    parser.add_argument("--path", default="", help="ask by HTTPS GET instead of grpc.health.v1")
    for flag in ("--ca", "--cert", "--key", "--name"):
        parser.add_argument(flag, default="")
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds")
    options = parser.parse_args()
    reason = check(
        Probe(options.target, options.path, options.ca, options.cert, options.key, options.name), options.timeout
    )
    print(reason or "ready")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
