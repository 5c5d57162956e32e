"""compose.yaml for real: built, started, used with stock kubectl, disturbed, examined, and taken down."""

import base64
import json
import stat
import threading
import time

import pytest
import yaml
from kubernetes import client, config, watch

from tests.compose import engine, images
from tests.compose.project import REPOSITORY, Project, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STAGES = ("authentication", "authorization", "admission", "storage")
MANIFEST = REPOSITORY / "examples" / "shop.yaml"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The whole pipeline in containers; at the end nothing of it is left."""
    directory = tmp_path_factory.mktemp("compose")
    try:
        with engine.running() as found:
            project = Project(found, directory, images.parameters(found))
            try:
                started = step("images", lambda: project.compose("build", timeout=600), time.monotonic())
                step("containers", lambda: project.compose("up", "--detach", timeout=240), started)
                yield project
            except BaseException:
                print(project.compose("ps", "--all", check=False).stdout)
                print(project.compose("logs", "--tail=40", "--no-color", check=False).stdout[-20000:])
                raise
            finally:
                project.compose("down", "--volumes", "--timeout", "20", check=False)
                left = project.leftovers()
            assert left == []
    except engine.UnavailableError as reason:
        pytest.skip(f"the compose test cannot run here: {reason}")


def step(what, action, began):
    """Do something and say how long it took; returns the time now."""
    action()
    now = time.monotonic()
    print(f"compose: {what} after {now - began:.1f} s")
    return now


@pytest.fixture(scope="module")
def shop(project):
    """The example manifest, applied."""
    until(lambda: project.kubectl("get", "--raw", "/readyz", check=False).stdout == "ok", 60, "the gateway is ready")
    project.kubectl("apply", "-f", str(MANIFEST))
    return project


@pytest.fixture(scope="module")
def api(shop):
    """A Python client that comes in the way kubectl does."""
    configuration = client.Configuration()
    config.load_kube_config(str(shop.kubeconfig), client_configuration=configuration)
    with client.ApiClient(configuration) as opened:
        yield client.CoreV1Api(opened)


def test_kubeconfig_belongs_to_the_user_of_its_directory(project):
    """Mode 0600, complete, for the published port."""
    found = project.kubeconfig.stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_uid == project.host_directory.stat().st_uid
    document = yaml.safe_load(project.kubeconfig.read_text())
    assert document["clusters"][0]["cluster"]["server"] == f"https://127.0.0.1:{project.port}"
    assert b"BEGIN CERTIFICATE" in base64.b64decode(document["users"][0]["user"]["client-certificate-data"])


def test_every_object_of_the_example_is_stored(shop):
    """What kubectl applied is read back, kind by kind and name by name."""
    wanted = {(one["kind"], one["metadata"]["name"]) for one in yaml.safe_load_all(MANIFEST.read_text())}
    listed = json.loads(shop.kubectl("get", "-f", str(MANIFEST), "-o", "json").stdout)
    assert {(one["kind"], one["metadata"]["name"]) for one in listed["items"]} == wanted
    assert len(wanted) >= 20
    table = shop.kubectl("get", "deployments", "-n", "shop").stdout.split("\n")
    assert table[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    # kubectl sends a patch for some kinds each time (stringData, claim templates); it must not change anything
    shop.kubectl("apply", "-f", str(MANIFEST))
    again = json.loads(shop.kubectl("get", "-f", str(MANIFEST), "-o", "json").stdout)
    assert versions(again) == versions(listed)


def versions(listed):
    """Which revision each object of a list has."""
    return {(one["kind"], one["metadata"]["name"]): one["metadata"]["resourceVersion"] for one in listed["items"]}


def test_containers_have_no_right_that_they_do_not_need(project):
    """Not root, nothing to write to, no capability, no way to gain one; only the gateway is published."""
    for service in (*STAGES, "gateway", "etcd"):
        found = project.inspect(service)
        host = found["HostConfig"]
        assert found["Config"]["User"] == "65532:65532", service
        assert host["ReadonlyRootfs"], service
        assert host["CapDrop"] == ["ALL"], service
        assert not host["CapAdd"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert host["RestartPolicy"]["Name"] == "unless-stopped", service
        published = [port for port, bound in found["NetworkSettings"]["Ports"].items() if bound]
        assert published == (["6443/tcp"] if service == "gateway" else []), service
        writable = [mount["Destination"] for mount in found["Mounts"] if mount["RW"]]
        assert writable == (["/data"] if service == "etcd" else []), service
        until(lambda service=service: project.healthy(service), 30, f"{service} is healthy")


def test_containers_see_only_their_own_keys(project):
    """No authority's key, and no other process's, is in reach of a stage or of the gateway."""
    look = "from pathlib import Path; print(*sorted(str(p) for p in Path('/pki').rglob('*.key')))"
    keys = {service: project.python(service, look).split() for service in (*STAGES, "gateway")}
    assert keys == {
        "authentication": ["/pki/authentication/hop.key", "/pki/authentication/service-accounts.key"],
        "authorization": ["/pki/authorization/hop.key"],
        "admission": ["/pki/admission/hop.key"],
        "storage": ["/pki/storage/etcd.key", "/pki/storage/hop.key"],
        "gateway": ["/pki/gateway/hop.key", "/pki/gateway/serving.key"],
    }


STRANGER = """
import socket, ssl
def call(host, port, cert=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if cert:
        context.load_cert_chain(cert + ".crt", cert + ".key")
    try:
        with context.wrap_socket(socket.create_connection((host, port), 3)) as s:
            s.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            got = s.recv(1000)
            got = got and s.recv(1000)
            return "answered" if got else "closed"
    except OSError as error:
        return type(error).__name__
"""


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_answers_nobody_without_a_hop_certificate(project, stage):
    """From a neighbour on the same network: the gateway's hop certificate is answered, none or another kind is not."""
    told = project.python(
        "gateway",
        STRANGER + f"print(call('{stage}', 7443, '/pki/gateway/hop'), call('{stage}', 7443), "
        f"call('{stage}', 7443, '/pki/gateway/serving'))",
    ).split()
    assert told[0] == "answered"
    assert "answered" not in told[1:], told


def test_etcd_answers_storage_only(project):
    """Others cannot even find it; without storage's certificate for it there is no answer."""
    told = project.python(
        "storage",
        STRANGER + "print(call('etcd', 2379, '/pki/storage/etcd'), call('etcd', 2379), "
        "call('etcd', 2379, '/pki/storage/hop'))",
    ).split()
    assert told[0] == "answered"
    assert "answered" not in told[1:], told
    assert project.python("gateway", STRANGER + "print(call('etcd', 2379))") == "gaierror"


class Watcher(threading.Thread):
    """Watches config maps as an informer does: again from the last version seen whenever the stream ends."""

    def __init__(self, api):
        super().__init__(daemon=True)
        self.seen = []
        self.streams = 0
        self._api = api
        self._version = api.list_namespaced_config_map("shop").metadata.resource_version
        self._ending = threading.Event()
        self._watch = watch.Watch()

    def run(self):
        while not self._ending.is_set():
            self.streams += 1
            try:
                for event in self._watch.stream(
                    self._api.list_namespaced_config_map,
                    "shop",
                    resource_version=self._version,
                    timeout_seconds=60,
                    _request_timeout=(5, 70),
                ):
                    self._version = event["object"].metadata.resource_version
                    self.seen.append((event["type"], event["object"].metadata.name))
                    if self._ending.is_set():
                        return
            except Exception as error:
                print(f"compose: watch again after {type(error).__name__}")
                self._ending.wait(0.3)

    def end(self, api):
        self._ending.set()
        self._watch.stop()
        api.create_namespaced_config_map("shop", {"metadata": {"name": "last"}})  # wakes the stream
        api.delete_namespaced_config_map("last", "shop")
        self.join(30)
        assert not self.is_alive()


@pytest.fixture
def watcher(api):
    started = Watcher(api)
    started.start()
    yield started
    started.end(api)


def requests_recover(project, seconds=45):
    until(
        lambda: project.kubectl("get", "configmap", "frontend", "-n", "shop", check=False).returncode == 0,
        seconds,
        "requests are served again",
    )


def test_a_watch_does_not_notice_that_authorization_restarts(shop, api, watcher):
    """Its decision was made when it began; requests after the restart are served as before."""
    api.create_namespaced_config_map("shop", {"metadata": {"name": "before"}})
    until(lambda: ("ADDED", "before") in watcher.seen, 10, "the watch runs")
    shop.compose("restart", "--timeout", "10", "authorization")
    requests_recover(shop)
    api.create_namespaced_config_map("shop", {"metadata": {"name": "after"}})
    until(lambda: ("ADDED", "after") in watcher.seen, 10, "the watch goes on")
    assert watcher.streams == 1
    api.delete_namespaced_config_map("before", "shop")
    api.delete_namespaced_config_map("after", "shop")


def test_a_watch_resumes_without_a_gap_when_storage_restarts(shop, api, watcher):
    """Requests meanwhile fail with 503 and recover; the watch sees each change once, in order."""
    api.create_namespaced_config_map("shop", {"metadata": {"name": "one"}})
    until(lambda: ("ADDED", "one") in watcher.seen, 10, "the watch runs")
    shop.compose("stop", "--timeout", "10", "storage")
    with pytest.raises(client.ApiException) as refused:
        api.read_namespaced_config_map("frontend", "shop")
    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers
    assert "storage" in json.loads(refused.value.body)["message"]
    shop.compose("start", "storage")
    requests_recover(shop)
    api.create_namespaced_config_map("shop", {"metadata": {"name": "two"}})
    api.delete_namespaced_config_map("one", "shop")
    api.delete_namespaced_config_map("two", "shop")
    wanted = [("ADDED", "one"), ("ADDED", "two"), ("DELETED", "one"), ("DELETED", "two")]
    until(lambda: len(watcher.seen) >= len(wanted), 30, f"the watch resumes ({watcher.seen})")
    assert watcher.seen == wanted


def test_the_logs_tell_a_story(shop):
    """Each stage says a line about one request, under the same audit id."""
    story = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "story", "namespace": "shop"}}'
    shop.kubectl("apply", "-f", "-", stdin=story)
    shop.kubectl("delete", "configmap", "story", "-n", "shop")
    time.sleep(1)
    lines = shop.compose("logs", "--no-color", "--tail=200").stdout.splitlines()
    speakers = {line.split("|")[0].strip().rsplit("-", 1)[0] for line in lines if "|" in line}
    assert speakers >= {*STAGES, "gateway"}


def test_a_second_up_changes_nothing(shop):
    """Keys stay, containers stay."""
    before = {service: shop.inspect(service)["Id"] for service in (*STAGES, "gateway", "etcd")}
    config_before = shop.kubeconfig.read_bytes()
    done = shop.compose("up", "--detach", timeout=180)
    assert shop.kubeconfig.read_bytes() == config_before, done.stderr
    assert {service: shop.inspect(service)["Id"] for service in before} == before
