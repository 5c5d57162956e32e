"""Faults of more than one process: an etcd cluster that loses its leader, a gateway that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc.aio
from aetcd import rpc

from tests.faults.conftest import set_up
from tests.faults.ledger import under_load
from tests.services.storage.peers import EtcdProcess, free_ports
from tests.support import up

TOKEN = "faults-token"
PATH = "/api/v1/namespaces/default/configmaps"


@contextlib.contextmanager
def three_members(directory: Path) -> Iterator[list[EtcdProcess]]:
    ports = [free_ports(2) for _ in range(3)]
    cluster = ",".join(f"m{n}=http://127.0.0.1:{peer}" for n, (_, peer) in enumerate(ports))
    members = [
        EtcdProcess(
            directory / f"m{n}",
            flags=("--name", f"m{n}", "--initial-cluster", cluster, "--initial-cluster-state", "new"),
            ports=ports[n],
        )
        for n in range(3)
    ]
    for member in members:
        member.start()
    try:
        yield members
    finally:
        for member in members:
            member.stop()


async def leader_of(members: list[EtcdProcess]) -> EtcdProcess:
    async with asyncio.timeout(20):
        while True:
            for member in members:
                async with grpc.aio.insecure_channel(f"127.0.0.1:{member.ports[0]}") as channel:
                    status = channel.unary_unary(
                        "/etcdserverpb.Maintenance/Status",
                        rpc.StatusRequest.SerializeToString,
                        rpc.StatusResponse.FromString,
                    )
                    with contextlib.suppress(grpc.aio.AioRpcError):
                        found = await status(rpc.StatusRequest(), timeout=2)
                        if found.leader and found.leader == found.header.member_id:
                            return member
            await asyncio.sleep(0.1)


async def test_cluster_loses_its_leader(tmp_path: Path) -> None:
    """Two leaders in turn are killed under load and come back: nothing acknowledged is lost, no event either."""
    with three_members(tmp_path) as members:
        await leader_of(members)
        servers = [member.url for member in members]
        async with set_up(tmp_path, members[0], servers=servers) as setup, under_load(setup.storage) as ledger:
            for _ in range(2):
                await asyncio.sleep(0.7)
                leader = await leader_of(members)
                leader.kill()
                await asyncio.sleep(0.1)
                before = len(ledger.acknowledged)
                # what was on its way through the leader is only given up after etcd's own 7 seconds
                async with asyncio.timeout(25):
                    while len(ledger.acknowledged) < before + 20:
                        await asyncio.sleep(0.05)
                leader.start()
                await asyncio.sleep(0.5)


class _Client(threading.Thread):
    """Creates objects through the gateway and remembers which were acknowledged."""

    def __init__(self, cluster: up.Cluster, number: int) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self._port = cluster.port
        self._number = number
        self.acknowledged: set[str] = set()
        self.failed = 0
        self.ended = threading.Event()

    def run(self) -> None:
        count = 0
        connection = connect(self._port)
        while not self.ended.is_set():
            name = f"c{self._number}-{count}"
            count += 1
            body = json.dumps({"metadata": {"name": name}})
            try:
                connection.request("POST", PATH, body, HEADERS)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 201:
                    self.acknowledged.add(name)
            except (OSError, http.client.HTTPException):
                self.failed += 1
                connection.close()  # the next request connects anew
                self.ended.wait(0.02)
        connection.close()


HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


def connect(port: int) -> http.client.HTTPSConnection:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)


def gateway_pid(cluster: up.Cluster) -> int:
    kubehop = str(Path(sys.executable).parent / "kubehop")
    done = subprocess.run(
        [kubehop, "status", "--data-dir", str(cluster.data_dir), "-o", "json"], capture_output=True, check=True
    )
    return next(int(p["pid"]) for p in json.loads(done.stdout)["processes"] if p["name"].startswith("gateway"))


def test_kill_of_the_gateway(tmp_path: Path) -> None:
    """The gateway is killed under load and started again by its supervisor: what it acknowledged is there."""
    tokens = tmp_path / "tokens.csv"
    tokens.write_text(f'{TOKEN},faults,uid-faults,"system:masters"\n')
    with up.running("--token-auth-file", str(tokens)) as cluster:
        clients = [_Client(cluster, n) for n in range(3)]
        for client in clients:
            client.start()
        wait = threading.Event()
        for _ in range(2):
            wait.wait(1)
            os.kill(gateway_pid(cluster), signal.SIGKILL)
            wait.wait(1)
            for _ in range(100):
                if up.ready(cluster.port):
                    break
                wait.wait(0.1)
        wait.wait(1)
        for client in clients:
            client.ended.set()
            client.join(15)
        connection = connect(cluster.port)
        connection.request("GET", PATH, headers=HEADERS)
        listed = json.loads(connection.getresponse().read())
        connection.close()
    there = {item["metadata"]["name"] for item in listed["items"]}
    acknowledged = set().union(*(client.acknowledged for client in clients))
    assert acknowledged <= there, acknowledged - there
    assert len(acknowledged) > 50
    assert sum(client.failed for client in clients)
