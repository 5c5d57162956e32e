"""A child for the supervisor's tests: answers grpc.health.v1 through grpcio on a unix socket, misbehaves on demand."""

import argparse
import os
import signal
import sys
import threading
import time
from concurrent import futures
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("listen")
    parser.add_argument("--ready-after", type=float, default=0.0)
    parser.add_argument("--exit-after", type=float, default=None)
    parser.add_argument("--status", type=int, default=1)
    parser.add_argument("--ignore-term", action="store_true")
    parser.add_argument("--ended", type=Path, default=None, help="file to append the socket's name to when ending")
    options = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, signal.SIG_IGN if options.ignore_term else lambda *_: ended.set())
    print(f"stand-in {os.getpid()} says hello", flush=True)
    if options.exit_after is not None and options.exit_after == 0:
        print("stand-in: no good", flush=True)
        return options.status
    server = grpc.server(futures.ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(options.listen)
    server.start()
    time.sleep(options.ready_after)
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    if not ended.wait(options.exit_after):
        print("stand-in: no good", flush=True)
        os._exit(options.status)
    server.stop(0).wait()
    if options.ended:
        with options.ended.open("a") as file:
            file.write(Path(options.listen).name + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
