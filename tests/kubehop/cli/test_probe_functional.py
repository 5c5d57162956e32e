"""The probe against real gRPC and HTTPS servers."""

import http.server
import ssl
import threading
from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from kubehop.cli import credentials
from kubehop.cli.probe import Probe, check


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    credentials.ensure(directory, credentials.kubernetes_names("10.96.0.0/16"), lambda _: None)
    return directory


class Server:
    """A gRPC server with (or without) grpc.health.v1."""

    def __init__(self, address, server_credentials=None, *, with_health=True):
        self.server = grpc.server(futures.ThreadPoolExecutor(2))
        self.health = health.HealthServicer()
        if with_health:
            health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        if server_credentials:
            self.port = self.server.add_secure_port(address, server_credentials)
        else:
            self.port = self.server.add_insecure_port(address)
        self.server.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop(0).wait()


def test_stage_on_a_unix_socket_is_ready_only_while_it_serves(tmp_path):
    """SERVING is ready, NOT_SERVING is named."""
    target = f"unix:{tmp_path}/s.sock"
    with Server(target) as stage:
        assert check(Probe(target), 2) == ""
        stage.health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        assert check(Probe(target), 2) == "NOT_SERVING"


def test_stage_without_health_service_is_told_apart(tmp_path):
    """UNIMPLEMENTED arrives as trailers only."""
    target = f"unix:{tmp_path}/s.sock"
    with Server(target, with_health=False):
        assert check(Probe(target), 2) == "the stage does not answer grpc.health.v1"


def test_nobody_there(tmp_path):
    """A missing socket and a closed port are reasons, not exceptions."""
    assert check(Probe(f"unix:{tmp_path}/s.sock"), 1) == "No such file or directory"
    assert check(Probe("127.0.0.1:1", "/readyz"), 1, ssl.create_default_context()) == "Connection refused"


def test_stage_over_tcp_wants_a_hop_certificate(pki):
    """With the certificate of a stage the probe is answered, without one or with a client's it is not."""
    own, other = pki / "storage", pki / "gateway"
    server = grpc.ssl_server_credentials(
        [((own / "hop.key").read_bytes(), (own / "hop.crt").read_bytes())],
        root_certificates=(own / "hops-ca.crt").read_bytes(),
        require_client_auth=True,
    )
    with Server("127.0.0.1:0", server) as stage:
        target, ca = f"127.0.0.1:{stage.port}", str(other / "hops-ca.crt")
        assert check(Probe(target, "", ca, str(other / "hop.crt"), str(other / "hop.key"), name="storage"), 2) == ""
        assert check(Probe(target, "", ca), 2) != ""
        admin = pki / "admin"
        assert check(Probe(target, "", ca, str(admin / "client.crt"), str(admin / "client.key")), 2) != ""
        wrong_name = Probe(target, "", ca, str(other / "hop.crt"), str(other / "hop.key"), name="admission")
        assert check(wrong_name, 2) == "TLS: CERTIFICATE_VERIFY_FAILED"


class Readyz(http.server.BaseHTTPRequestHandler):
    answer = (200, b"ok")

    def do_GET(self):
        status, body = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        return


def test_https_answers_200_or_names_the_failing_check(pki):
    """Of a verbose /readyz the first failing line is the reason."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Readyz)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / "gateway" / "serving.crt", pki / "gateway" / "serving.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        probe = Probe(f"127.0.0.1:{server.server_address[1]}", "/readyz", str(pki / "admin" / "serving-ca.crt"))
        assert check(probe, 2) == ""
        Readyz.answer = (500, b"[+]ping ok\n[-]storage failed: reason withheld\nreadyz check failed\n")
        assert check(probe, 2) == "HTTP 500: [-]storage failed: reason withheld"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
