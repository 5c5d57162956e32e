"""Mutual TLS of hops: one certificate per process serves both as server and as client.

Used by `kubehop.hop.server` and `kubehop.hop.client`; the files come from `kubehop.hop.settings`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc


def _no_password() -> str:
    """Answers OpenSSL's question for the password of an encrypted key, which would else be put to the terminal."""
    return ""


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
        unreadable = False
        for what, path in (("CA", self.ca), ("certificate", self.cert), ("key", self.key)):
            try:
                with path.open("rb"):
                    pass
            except OSError as error:
                unreadable = True
                yield f"TLS {what} file {path}: {error.strerror}"
        if unreadable:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(self.ca)
        except ssl.SSLError:
            yield f"TLS CA file {self.ca}: holds no certificate in PEM form"
        try:
            context.load_cert_chain(self.cert, self.key, password=_no_password)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                yield f"TLS key file {self.key}: the key does not belong to the certificate in {self.cert}"
            else:
                yield f"TLS files {self.cert} and {self.key}: hold no certificate and unencrypted key in PEM form"

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
