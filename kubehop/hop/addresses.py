"""Addresses of stages: "unix:/path" or "host:port", for listening and for calling.

Used by settings (to refuse a bad address with a clear line), by the server (to prepare a socket file) and by the
client (to know whether TLS applies).
"""

from __future__ import annotations

import os
import socket
import stat
import sys
from pathlib import Path
from typing import Final

UNIX_PREFIX: Final = "unix:"
# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS and the BSDs, the final NUL included.
SOCKET_PATH_LIMIT: Final = 107 if sys.platform == "linux" else 103


class AddressError(ValueError):
    """An address that cannot be used; the message says why and what would do."""


def socket_path(address: str) -> Path | None:
    """The path of a unix socket address, None for a TCP address."""
    if not address.startswith(UNIX_PREFIX):
        return None
    path = address.removeprefix(UNIX_PREFIX)
    return Path("/" + path.lstrip("/")) if path.startswith("//") else Path(path)


def check(address: str) -> str:
    """Return `address` in the form that gRPC takes, or raise AddressError."""
    path = socket_path(address)
    if path is not None:
        if not path.is_absolute():
            raise AddressError(
                f"{address!r}: the path of a unix socket must be absolute, as in unix:/run/kubehop/storage.sock"
            )
        length = len(os.fsencode(path))
        if length > SOCKET_PATH_LIMIT:
            raise AddressError(
                f"{address!r}: the path has {length} bytes, a unix socket takes at most {SOCKET_PATH_LIMIT}; "
                "choose a shorter directory"
            )
        return f"{UNIX_PREFIX}{path}"
    host, colon, port = address.rpartition(":")
    if not colon or not host:
        raise AddressError(f"{address!r}: write host:port or unix:/path")
    if host.count(":") and not (host.startswith("[") and host.endswith("]")):
        raise AddressError(f"{address!r}: write an IPv6 address in brackets, as in [::1]:7443")
    if not port.isdecimal() or int(port) > 65535:
        raise AddressError(f"{address!r}: the port must be a number from 0 to 65535")
    return address


def claim_socket(path: Path) -> None:
    """Make way for a new socket at `path`: remove one that nobody serves any more.

    Raises AddressError where something else is in the way: a file, or the socket of a process that still listens.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise AddressError(f"unix:{path}: the directory {path.parent} does not exist") from None
        return
    if not stat.S_ISSOCK(mode):
        raise AddressError(f"unix:{path}: something that is not a socket is in the way; remove it or listen elsewhere")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise AddressError(f"unix:{path}: cannot tell whether the socket is in use: {error}") from error
    raise AddressError(f"unix:{path}: another process listens there; stop it or listen elsewhere")
