"""The error of the hop in its three forms."""

from __future__ import annotations

import pickle

import grpc

from kubehop.hop.errors import STATUS_TRAILER, HopError
from kubehop.pb.hop.v1 import Status

ERROR = HopError(
    grpc.StatusCode.FAILED_PRECONDITION, "no", reason="ERROR_REASON_CONFLICT", metadata={"a": "b"}, stage="storage"
)


def same(left: HopError, right: HopError) -> bool:
    return (left.code, left.message, left.reason, dict(left.metadata), left.stage) == (
        right.code,
        right.message,
        right.reason,
        dict(right.metadata),
        right.stage,
    )


def test_status_and_back() -> None:
    """Everything but the stage travels; the caller knows the stage."""
    assert same(HopError.from_status(ERROR.to_status(), "storage"), ERROR)
    assert HopError.from_status(Status(code=99), "s").code is grpc.StatusCode.UNKNOWN


def test_rpc_error_with_and_without_trailer() -> None:
    """The trailer is preferred; one that does not decode is as good as none."""
    for key, value, expected in (
        (STATUS_TRAILER, ERROR.to_status().SerializeToString(), ERROR),
        (STATUS_TRAILER, b"\xff\xff", HopError(grpc.StatusCode.ABORTED, "details", stage="storage")),
        ("other", "x", HopError(grpc.StatusCode.ABORTED, "details", stage="storage")),
    ):
        rpc = grpc.aio.AioRpcError(
            grpc.StatusCode.ABORTED, grpc.aio.Metadata(), grpc.aio.Metadata((key, value)), details="details"
        )
        assert same(HopError.from_rpc_error(rpc, "storage"), expected)


def test_long_messages_fit_the_headers() -> None:
    """A message too long for a trailer is cut, whole characters only; code and reason stay."""
    long = HopError(grpc.StatusCode.INTERNAL, "ü" * 100_000, reason="R", metadata={"k": "v"})
    ((_, encoded),) = long.trailers()
    assert len(encoded) < 48 * 1024
    status = Status.FromString(encoded)
    assert status.reason == "R"
    assert set(status.message) == {"ü"}
    assert len(long.details) == 1024


def test_text_and_pickle() -> None:
    """It reads as one line and survives pickling and copying."""
    assert str(ERROR) == "storage: FAILED_PRECONDITION: no (ERROR_REASON_CONFLICT)"
    assert "ERROR_REASON_CONFLICT" in repr(ERROR)
    assert same(pickle.loads(pickle.dumps(ERROR)), ERROR)
    assert same(ERROR.copy(), ERROR)
    assert ERROR.copy() is not ERROR
