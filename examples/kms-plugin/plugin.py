#!/usr/bin/env python3
"""An example KMS v2 plugin: seals the seeds of kube-apiserver or kubehop with a local key file.

    python plugin.py /run/kms.sock keys.json

keys.json holds {"current": "1", "keys": {"1": "<base64 of 32 bytes>"}}; it is read anew at each call, so that a key is
rotated by adding one and naming it current. It shows the contract (v2.KeyManagementService on a unix socket); what
makes encryption at rest worth having is a key that is not on the same machine: call your key service in `seal` and
`unseal`.
Needs grpcio, protobuf and cryptography.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TEXT, BYTES = 9, 12
MESSAGES = {
    "StatusRequest": {},
    "StatusResponse": {"version": TEXT, "healthz": TEXT, "key_id": TEXT},
    "DecryptRequest": {"ciphertext": BYTES, "uid": TEXT, "key_id": TEXT},  # annotations = 4 are not used here
    "DecryptResponse": {"plaintext": BYTES},
    "EncryptRequest": {"plaintext": BYTES, "uid": TEXT},
    "EncryptResponse": {"ciphertext": BYTES, "key_id": TEXT},  # annotations = 3
}


def classes():
    """The contract's messages, k8s.io/kms apis/v2/api.proto, without protoc."""
    file = descriptor_pb2.FileDescriptorProto(name="kms.proto", package="v2", syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), 1):
            message.field.add(name=field, number=number, label=1, type=kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = message_factory.GetMessageClassesForFiles(["kms.proto"], pool)
    return {name.removeprefix("v2."): message for name, message in found.items()}


M = classes()


class Plugin:
    """Seals with the current key, unseals with any key of the file."""

    def __init__(self, keys: Path) -> None:
        self.path = keys

    def keys(self):
        return json.loads(self.path.read_text())

    def seal(self, plaintext: bytes):
        keys = self.keys()
        nonce = os.urandom(12)
        secret = base64.b64decode(keys["keys"][keys["current"]])
        return keys["current"], nonce + AESGCM(secret).encrypt(nonce, plaintext, None)

    def unseal(self, key_id: str, ciphertext: bytes) -> bytes:
        secret = base64.b64decode(self.keys()["keys"][key_id])
        return AESGCM(secret).decrypt(ciphertext[:12], ciphertext[12:], None)

    def status(self, _request, _context):
        return M["StatusResponse"](version="v2", healthz="ok", key_id=self.keys()["current"])

    def encrypt(self, request, _context):
        key_id, ciphertext = self.seal(request.plaintext)
        return M["EncryptResponse"](ciphertext=ciphertext, key_id=key_id)

    def decrypt(self, request, context):
        try:
            return M["DecryptResponse"](plaintext=self.unseal(request.key_id, request.ciphertext))
        except Exception:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "cannot unseal")


def main() -> None:
    socket, keys = sys.argv[1:]
    plugin = Plugin(Path(keys))
    methods = {
        name: grpc.unary_unary_rpc_method_handler(
            function, M[f"{name}Request"].FromString, lambda m: m.SerializeToString()
        )
        for name, function in (("Status", plugin.status), ("Encrypt", plugin.encrypt), ("Decrypt", plugin.decrypt))
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("v2.KeyManagementService", methods),))
    os.umask(0o177)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    print(f"serving on {socket}", flush=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    stop.wait()
    server.stop(1).wait()


if __name__ == "__main__":
    main()
