"""Mutual TLS of hops: one certificate per process serves both as server and as client.

Used by `kubehop.hop.server` and `kubehop.hop.client`; the files come from `kubehop.hop.settings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc


@dataclass(frozen=True)
class TLSFiles:
    """PEM files of one process."""

    ca: Path
    """Certificates of the authorities that sign the other side's certificate."""
    cert: Path
    """Certificate of this process, followed by intermediates if there are any."""
    key: Path
    """Private key of `cert`."""

    def problems(self) -> Iterator[str]:
        """What keeps these files from being used, one line each."""
        for what, path in (("CA", self.ca), ("certificate", self.cert), ("key", self.key)):
            try:
                text = path.read_bytes()
            except OSError as error:
                yield f"TLS {what} file {path}: {error.strerror}"
            else:
                if b"-----BEGIN " not in text:
                    yield f"TLS {what} file {path}: holds no PEM block"

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Credentials of the calling side. Raises OSError where a file cannot be read."""
        return grpc.ssl_channel_credentials(
            root_certificates=self.ca.read_bytes(),
            private_key=self.key.read_bytes(),
            certificate_chain=self.cert.read_bytes(),
        )

    def server_credentials(self) -> grpc.ServerCredentials:
        """Credentials of the listening side, which demands a client certificate signed by `ca`."""
        return grpc.ssl_server_credentials(
            [(self.key.read_bytes(), self.cert.read_bytes())],
            root_certificates=self.ca.read_bytes(),
            require_client_auth=True,
        )
