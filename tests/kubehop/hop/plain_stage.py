"""A stage as somebody without this package would write it: plain grpcio, threads, the typed contract and no more.

Started by the tests as `python -m tests.kubehop.hop.plain_stage unix:/path`. No Describe, no exchange lane, no health.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from concurrent import futures

import grpc

from kubehop.pb.hop.v1 import Status
from kubehop.pb.storage.v1 import GetResponse, ListChunk, ListResponse, WatchResponse, storage_pb2_grpc


class PlainStorage(storage_pb2_grpc.StorageServicer):
    """Get, List and Watch; everything else is left to the base class, which answers UNIMPLEMENTED."""

    def Get(self, request, context):  # noqa: N802 - generated name
        metadata = dict(context.invocation_metadata())
        if request.key.name == "absent":
            status = Status(
                code=5, message="absent", reason="ERROR_REASON_NOT_FOUND", metadata={"key": "/registry/absent"}
            )
            context.set_trailing_metadata((("kubehop-status-bin", status.SerializeToString()),))
            context.abort(grpc.StatusCode.NOT_FOUND, "absent")
        if request.key.name == "bare":
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "no trailer here")
        if request.resource_version:
            time.sleep(float(request.resource_version))
        return GetResponse(object=metadata.get("audit_id", "").encode(), store_key=request.key.name, revision=7)

    def List(self, request, context):  # noqa: N802
        for number in range(request.limit):
            yield ListResponse(chunk=ListChunk(count=number))

    def Watch(self, request, context):  # noqa: N802
        while context.is_active():
            yield WatchResponse()
            time.sleep(0.01)


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    storage_pb2_grpc.add_StorageServicer_to_server(PlainStorage(), server)
    server.add_insecure_port(sys.argv[1])
    server.start()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    print(sys.argv[1], flush=True)
    stopped.wait()
    server.stop(1).wait()


if __name__ == "__main__":
    main()
