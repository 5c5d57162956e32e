"""An authorizer in plain Python: everybody in group `developers` may read, nobody may delete, the rest have no say.

It needs nothing of kubehop but the generated stubs: `pip install grpcio grpcio-health-checking protobuf`, and the
contract protos/kubehop/authorization/v1/authorization.proto compiled with protoc, which kubehop ships as kubehop.pb.

    python stage.py unix:/tmp/office-hours.sock
    kubehop up --authorization unix:/tmp/office-hours.sock
"""

import sys
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from kubehop.pb.authorization.v1 import (
    DECISION_ALLOW,
    DECISION_DENY,
    DECISION_NO_OPINION,
    AuthorizeResponse,
    authorization_pb2_grpc,
)

READS = {"get", "list", "watch"}


class OfficeHours(authorization_pb2_grpc.AuthorizationServicer):
    """Answers one question: may this user do this?"""

    def Authorize(self, request, context):  # noqa: N802  (gRPC's naming)
        user, verb = request.user, request.attributes.verb
        if "system:masters" in user.groups or user.username.startswith("system:"):
            return AuthorizeResponse(decision=DECISION_ALLOW, reason="the system may", authorizer="office-hours")
        if verb in {"delete", "deletecollection"}:
            return AuthorizeResponse(decision=DECISION_DENY, reason="nobody deletes here", authorizer="office-hours")
        if verb in READS and "developers" in user.groups:
            return AuthorizeResponse(decision=DECISION_ALLOW, reason="developers read", authorizer="office-hours")
        return AuthorizeResponse(decision=DECISION_NO_OPINION, reason="not my office", authorizer="office-hours")


def main(address: str) -> None:
    server = grpc.server(futures.ThreadPoolExecutor(8))
    authorization_pb2_grpc.add_AuthorizationServicer_to_server(OfficeHours(), server)
    healthy = health.HealthServicer()
    healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    server.add_insecure_port(address)
    server.start()
    print(f"office-hours decides at {address}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1])
