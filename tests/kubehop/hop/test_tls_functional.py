"""Mutual TLS on TCP: who may call a stage and which stage a caller believes."""

from __future__ import annotations

import dataclasses

import grpc
import pytest

from kubehop.hop.addresses import AddressError
from kubehop.hop.client import StageClient
from kubehop.hop.errors import HopError
from kubehop.hop.server import Stage, StageServer
from kubehop.pb.storage.v1 import GetRequest, ListRequest, StorageRpcs, storage_pb2_grpc
from tests.kubehop.hop.conftest import QUICK, Authority
from tests.kubehop.hop.stage_process import Provocations


@pytest.fixture
async def stage(authority, start_stage):
    """A stage on TCP whose certificate is for localhost and for its service name."""
    files = authority.issue("storage", "localhost", "storage.kubehop")
    return await start_stage(
        "--tls-cert-file",
        str(files.cert),
        "--tls-key-file",
        str(files.key),
        "--tls-ca-file",
        str(files.ca),
        listen="localhost:0",
    )


async def test_right_certificate(authority, stage, new_client) -> None:
    """A certificate signed by the CA may call, and the servicer learns its common name."""
    client = new_client(stage.address, tls=authority.issue("gateway"))
    await client.wait_ready(10)
    answer = await client.call(StorageRpcs.GET, GetRequest())
    assert answer.object.decode().split("|")[3] == "gateway"
    typed = new_client(
        stage.address, tls=authority.issue("admission"), settings=dataclasses.replace(QUICK, exchange=False)
    )
    answer = await typed.call(StorageRpcs.GET, GetRequest())
    assert answer.object.decode().split("|")[3] == "admission"
    assert len([part async for part in client.stream(StorageRpcs.LIST, ListRequest(limit=3))]) == 3


async def test_wrong_authority(folder, authority, stage, new_client) -> None:
    """A certificate of another CA cannot call, although its holder trusts the stage."""
    stranger = Authority(folder, "other-ca").issue("stranger")
    client = new_client(stage.address, tls=dataclasses.replace(stranger, ca=authority.path))
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, GetRequest())
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE


async def test_stage_of_wrong_authority(folder, authority, stage, new_client) -> None:
    """A caller does not talk to a stage whose certificate its CA has not signed."""
    other = Authority(folder, "other-ca")
    client = new_client(stage.address, tls=dataclasses.replace(authority.issue("gateway"), ca=other.path))
    with pytest.raises(HopError) as caught:
        await client.call(StorageRpcs.GET, GetRequest())
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE


async def test_no_certificate(authority, stage) -> None:
    """A caller without a certificate cannot call, not even for health."""
    credentials = grpc.ssl_channel_credentials(root_certificates=authority.path.read_bytes())
    async with grpc.aio.secure_channel(stage.address, credentials) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await storage_pb2_grpc.StorageStub(channel).Get(GetRequest(), timeout=3)
        assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=3)


async def test_plaintext(stage) -> None:
    """A caller that speaks no TLS gets nowhere."""
    async with grpc.aio.insecure_channel(stage.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await storage_pb2_grpc.StorageStub(channel).Get(GetRequest(), timeout=3)
        assert caught.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_name_in_the_certificate(authority, stage, new_client) -> None:
    """The certificate must name the host of the target, or else the name that the settings expect."""
    address = f"127.0.0.1:{stage.address.rpartition(':')[2]}"
    wrong = new_client(address, tls=authority.issue("gateway"))
    with pytest.raises(HopError):
        await wrong.call(StorageRpcs.GET, GetRequest())
    right = new_client(
        address, tls=authority.issue("gateway"), settings=dataclasses.replace(QUICK, server_name="storage.kubehop")
    )
    await right.call(StorageRpcs.GET, GetRequest())


async def test_tcp_without_tls_is_refused() -> None:
    """Neither side uses TCP without TLS."""
    with pytest.raises(AddressError, match="only with TLS"):
        StageServer(Stage("storage", "kubehop.storage.v1"), StorageRpcs.SERVICE, Provocations(), listen="127.0.0.1:0")
    with pytest.raises(AddressError, match="only with TLS"):
        StageClient("storage", ["127.0.0.1:7443"])


async def test_renewed_client_certificate(folder, authority, stage, new_client, start_stage) -> None:
    """Certificate files are read at each connection, so a renewed one is used without a restart."""
    files = Authority(folder, "other-ca").issue("gateway")
    client = new_client(stage.address, tls=dataclasses.replace(files, ca=authority.path))
    with pytest.raises(HopError):
        await client.call(StorageRpcs.GET, GetRequest())
    authority.issue("gateway")
    await client.wait_ready(10)
    await client.call(StorageRpcs.GET, GetRequest())


async def test_port_in_use(authority, stage) -> None:
    """A second server on the port fails with a clear line instead of sharing it."""
    server = StageServer(
        Stage("storage", "kubehop.storage.v1"),
        StorageRpcs.SERVICE,
        Provocations(),
        listen=stage.address,
        tls=authority.issue("second", "localhost"),
    )
    with pytest.raises(AddressError, match="cannot listen there"):
        await server.start()
