"""A webhook over TLS for tests, run as a process of its own: the path says how it behaves.

python -m tests.services.admission.plugins.webhook_server CERTIFICATE KEY; prints its port, serves until it is killed.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

connections = 0


class Handler(BaseHTTPRequestHandler):
    """Answers AdmissionReviews."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Count connections."""
        global connections  # noqa: PLW0603 - a process of its own
        connections += 1
        super().setup()

    def do_POST(self) -> None:
        """Behave as the path says."""
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = review["request"]
        path = self.path.partition("?")[0]
        if path == "/hang":
            self.rfile.read(1)  # until the caller gives up
        elif path == "/reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif path == "/garbage":
            self.send(b"garbage")
        elif path == "/huge":
            self.send(b'{"padding": "' + b"x" * (10 << 20) + b'"}')
        elif path == "/drip":
            self.drip()
        elif path == "/error":
            self.send(b"out of order", code=500)
        else:
            self.answer(path, request)

    def answer(self, path: str, request: dict[str, Any]) -> None:
        """The answers that are reviews."""
        response: dict[str, Any] = {"uid": request["uid"], "allowed": path != "/deny"}
        if path == "/deny":
            response["status"] = {"message": "no such thing", "code": 418, "reason": "Teapot"}
        elif path == "/label":
            response |= patch({"op": "add", "path": "/metadata/labels", "value": {"seen": "yes"}})
        elif path == "/count":
            seen = int((request["object"]["metadata"].get("annotations") or {}).get("count", "0"))
            response |= patch({"op": "add", "path": "/metadata/annotations", "value": {"count": str(seen + 1)}})
        elif path == "/nonsense":
            response |= patch({"op": "add", "path": "/spec", "value": "nonsense"})
        elif path == "/bad-patch":
            response |= patch({"op": "remove", "path": "/nowhere"})
        elif path == "/other-uid":
            response["uid"] = "other"
        elif path == "/warn":
            response["warnings"] = ["careful"]
            response["auditAnnotations"] = {"said": "careful", "connections": str(connections)}
        elif path == "/echo":
            response["auditAnnotations"] = {"request": json.dumps(request), "path": self.path}
        self.send(
            json.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": response}).encode()
        )

    def drip(self) -> None:
        """Answer a byte at a time, for ever."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        while True:
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.1)

    def send(self, body: bytes, code: int = 200) -> None:
        """A whole answer."""
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """The part of a response that is a patch."""
    return {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(operations).encode()).decode()}


class Server(ThreadingHTTPServer):
    """Dies with its process whatever hangs."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Failed handshakes and cut connections are what is being tested."""


def main() -> None:
    """Serve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
