"""`kubehop up` with everything that it starts: etcd, four stages, gateways."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kubehop.cli import probe, processes, state

KUBEHOP = Path(sys.executable).parent / "kubehop"
KUBECTL = Path(sys.executable).parent / "kubectl"
CHILDREN = ("etcd", "storage", "authentication", "authorization", "admission", "gateway")
PATIENCE = 60


def run(*arguments, check=True):
    done = subprocess.run([KUBEHOP, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert not check or done.returncode == 0, done
    return done


class Home:
    """A data directory with a port of its own."""

    def __init__(self, path):
        self.path = path
        self.directory = state.DataDirectory(path)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])

    def up(self, *flags):
        return run("up", "--data-dir", str(self.path), "--secure-port", self.port, "--detach", *flags)

    def status(self):
        return json.loads(run("status", "--data-dir", str(self.path), "-o", "json", check=False).stdout)

    def down(self):
        return run("down", "--data-dir", str(self.path))

    def kubectl(self, *arguments, stdin=None):
        return subprocess.run(
            [KUBECTL, "--kubeconfig", self.directory.kubeconfig, "--cache-dir", self.path / "cache", *arguments],
            input=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip

    def until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.1)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A kubehop that runs for all tests of this module."""
    home = Home(tmp_path_factory.mktemp("home"))
    (home.path / "tokens.csv").write_text('jane-token,jane,1,"developers"\n')
    home.first = home.up("--token-auth-file", str(home.path / "tokens.csv"))
    yield home
    home.down()


def test_it_shows_each_step_and_what_to_try(home):
    """Keys, every process with its time, the kubeconfig, three commands."""
    for name in ("pki", "kubeconfig", *CHILDREN):
        assert re.search(rf"✓ {name} +\S.* \d+\.\d\d s", home.first.stdout), name
    assert f"export KUBECONFIG={home.directory.kubeconfig}" in home.first.stdout
    assert home.first.stdout.count("kubectl ") == 3


def test_the_kubeconfig_is_the_admins(home):
    """Stock kubectl comes in without further ado."""
    review = '{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}'
    done = home.kubectl("create", "--raw", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "-f", "-", stdin=review)
    user = json.loads(done.stdout)["status"]["userInfo"]
    assert user["username"] == "kubernetes-admin"
    assert user["groups"] == ["system:masters", "system:authenticated"]


def test_status_knows_every_process(home):
    """Pids that live, memory, uptime, addresses; exit status 0."""
    found = home.status()
    assert [child["name"] for child in found["processes"]] == list(CHILDREN)
    for child in found["processes"]:
        assert child["ready"], child
        assert child["residentBytes"] > 5 << 20
        assert processes.identity(child["pid"])
    assert found["residentBytes"] < 25 << 20
    table = run("status", "--data-dir", str(home.path)).stdout
    assert table.split("\n")[0].split() == ["PROCESS", "PID", "READY", "RESTARTS", "MEMORY", "UPTIME", "ADDRESS"]


def test_a_second_up_on_the_same_directory_refuses(home):
    """In one line."""
    done = run("up", "--data-dir", str(home.path), "--secure-port", "1", check=False)
    assert done.returncode == 2
    assert f"kubehop already runs in {home.path} (pid " in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_killed_stage_comes_back_and_requests_are_served_again(home):
    """Every stage, one after the other, and etcd too."""
    for name in CHILDREN:
        before = {child["name"]: child for child in home.status()["processes"]}
        os.kill(before[name]["pid"], signal.SIGKILL)
        home.until(
            lambda name=name, before=before: any(
                child["name"] == name and child["ready"] and child["restarts"] > before[name]["restarts"]
                for child in home.status()["processes"]
            ),
            f"{name} comes back",
        )
        home.until(lambda: home.kubectl("get", "namespaces").returncode == 0, f"requests after {name} came back")
    told = run("logs", "--data-dir", str(home.path), "--stage", "kubehop").stdout
    for name in CHILDREN:
        assert re.search(rf"kubehop: {name} \(pid \d+\) was killed by SIGKILL after ", told)
        assert re.search(rf"kubehop: {name} is ready again", told)


def test_logs_hold_what_every_process_wrote(home):
    """Merged, with the name of the process before each line."""
    home.kubectl("get", "configmaps")
    time.sleep(0.3)
    said = run("logs", "--data-dir", str(home.path)).stdout
    assert {line.split("|")[0].strip() for line in said.splitlines()} >= {
        "kubehop",
        "gateway",
        "authentication",
        "storage",
    }
    only = run("logs", "--data-dir", str(home.path), "--stage", "storage", "--tail", "3").stdout.splitlines()
    assert len(only) == 3
    assert all(line.startswith("storage") for line in only)
    wrong = run("logs", "--data-dir", str(home.path), "--stage", "stroage", check=False)
    assert wrong.returncode == 2
    assert "there are admission, authentication" in wrong.stderr


def test_logs_follow(home):
    """A request appears while somebody looks."""
    with subprocess.Popen(
        [KUBEHOP, "logs", "--data-dir", str(home.path), "-f", "--tail", "0"], stdout=subprocess.PIPE, text=True
    ) as follower:
        time.sleep(0.5)
        home.kubectl("get", "configmap", "look-for-me")
        for line in follower.stdout:
            if "look-for-me" in line:
                break
        follower.send_signal(signal.SIGINT)
        follower.stdout.read()
        assert follower.wait(10) == 0


def test_nobody_reaches_etcd_without_its_certificate(home):
    """Loopback is not enough, nor is a certificate for something else."""
    etcd = next(child["address"] for child in home.status()["processes"] if child["name"] == "etcd")
    target, pki = etcd.removeprefix("https://"), home.directory.pki
    ca = str(pki / "storage" / "etcd-ca.crt")

    def health(cert="", key=""):
        return probe.check(probe.Probe(target, "/health", ca, str(cert), str(key)), 3)

    assert health(pki / "storage" / "etcd.crt", pki / "storage" / "etcd.key") == ""
    assert health() != ""
    assert health(pki / "storage" / "hop.crt", pki / "storage" / "hop.key") != ""
    assert health(pki / "admin" / "client.crt", pki / "admin" / "client.key") != ""


@pytest.mark.skipif(not processes.LINUX, reason="reads /proc")
def test_only_etcd_and_the_gateway_listen_and_both_with_tls(home):
    """Everything else is a unix socket in a directory that only its owner enters."""
    found = home.status()
    listening = {child["name"]: tcp_ports(child["pid"]) for child in found["processes"]}
    assert {name for name, ports in listening.items() if ports} == {"etcd", "gateway"}
    assert not tcp_ports(found["pid"])
    for ports in listening.values():
        for port in ports:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with socket.create_connection(("127.0.0.1", port), 3) as plain, context.wrap_socket(plain) as tls:
                assert tls.version() in ("TLSv1.2", "TLSv1.3")
    assert home.directory.run.stat().st_mode & 0o077 == 0


def tcp_ports(pid):
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for row in Path(table).read_text().splitlines()[1:]:
            port = int(row.split()[1].rsplit(":", 1)[1], 16)
            if row.split()[3] == processes.LISTEN and processes.listens(pid, port):
                ports.add(port)
    return ports


def test_a_restart_keeps_everything_and_is_quick(tmp_path):
    """Down and up again: same kubeconfig, same objects; ready within three seconds on a quiet machine."""
    home = Home(tmp_path)
    home.up()
    try:
        kept = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}}'
        assert home.kubectl("apply", "-f", "-", stdin=kept).returncode == 0
        kubeconfig = home.directory.kubeconfig.read_bytes()
        assert "ended after" in home.down().stdout
        assert not home.status()["running"]
        second = home.up().stdout
        assert home.directory.kubeconfig.read_bytes() == kubeconfig
        assert home.kubectl("get", "configmap", "kept").returncode == 0
        took = float(re.search(r"ready after ([\d.]+) s", second)[1])
        assert took < 3.0 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), second
    finally:
        home.down()


def test_what_a_killed_supervisor_left_behind_is_ended_by_the_next(tmp_path):
    """Whether the system ended the children with it or not, the next one starts cleanly."""
    home = Home(tmp_path)
    home.up()
    found = home.status()
    os.kill(found["pid"], signal.SIGKILL)
    try:
        home.up()
        old = {child["pid"] for child in found["processes"]}
        assert not old & {child["pid"] for child in home.status()["processes"]}
        assert not any(processes.identity(pid) for pid in old)
        assert home.kubectl("get", "namespaces").returncode == 0
    finally:
        home.down()


def test_several_gateways_share_the_port(tmp_path):
    """Each of them listens, and the loss of one is survived by the others."""
    home = Home(tmp_path)
    home.up("--gateways", "2")
    try:
        pids = [child["pid"] for child in home.status()["processes"] if child["name"].startswith("gateway-")]
        assert len(pids) == 2
        assert all(processes.listens(pid, int(home.port)) for pid in pids)
        os.kill(pids[0], signal.SIGKILL)
        home.until(lambda: home.kubectl("get", "namespaces").returncode == 0, "the other one serves")
    finally:
        home.down()


def test_an_etcd_of_ones_own(home, tmp_path):
    """With --etcd-servers none is started, and its certificates are passed on."""
    etcd = next(child["address"] for child in home.status()["processes"] if child["name"] == "etcd")
    storage = home.directory.pki / "storage"
    other = Home(tmp_path)
    other.up(
        "--etcd-servers", etcd, "--etcd-cafile", str(storage / "etcd-ca.crt"),
        "--etcd-certfile", str(storage / "etcd.crt"), "--etcd-keyfile", str(storage / "etcd.key"),
    )  # fmt: skip
    try:
        assert "etcd" not in [child["name"] for child in other.status()["processes"]]
        shared = '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shared"}}'
        assert home.kubectl("apply", "-f", "-", stdin=shared).returncode == 0
        other.until(lambda: other.kubectl("get", "namespace", "shared").returncode == 0, "both see the same registry")
    finally:
        other.down()


def test_ctrl_c_ends_it_in_the_foreground(tmp_path):
    """Exit status 0, nothing left."""
    home = Home(tmp_path)
    with subprocess.Popen(
        [KUBEHOP, "up", "--data-dir", str(home.path), "--secure-port", home.port], stdout=subprocess.PIPE, text=True
    ) as foreground:
        for line in foreground.stdout:
            if "Ctrl-C ends it" in line:
                break
        pids = [child["pid"] for child in home.status()["processes"]]
        assert len(pids) == len(CHILDREN)
        foreground.send_signal(signal.SIGINT)
        rest = foreground.stdout.read()
        assert foreground.wait(30) == 0
    assert "all ended after" in rest
    assert not any(processes.identity(pid) for pid in pids)


def test_a_stage_that_refuses_its_settings_is_a_bad_flag(tmp_path):
    """What only a stage can judge ends the start with its words and exit status 2."""
    home = Home(tmp_path)
    done = run(
        "up",
        "--data-dir",
        str(home.path),
        "--secure-port",
        home.port,
        "--enable-admission-plugins",
        "Nonsense",
        check=False,
    )
    assert done.returncode == 2
    assert "Nonsense" in done.stdout
    assert "giving up, admission does not start" in done.stdout
