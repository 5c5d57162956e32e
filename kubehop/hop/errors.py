"""The one error of the hop, and its three forms: exception, `kubehop.hop.v1.Status`, gRPC status with trailer.

Servicers raise `HopError` to fail a call; callers get it for every failure, whoever caused it. Over the exchange lane
it travels as `Envelope.status`, over unary and streaming calls as gRPC status plus the trailer
`kubehop-status-bin`, so that reason and metadata survive either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import grpc
from google.protobuf.message import DecodeError

from kubehop.pb.hop.v1 import Status

STATUS_TRAILER: Final = "kubehop-status-bin"
"""Trailer that carries a serialized `kubehop.hop.v1.Status`."""

_DETAILS_LIMIT = 1024  # characters of grpc-message; the whole text is in the trailer, and headers must stay small
_STATUS_LIMIT = 48 * 1024  # bytes of the trailer, below what both sides accept as metadata
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class HopError(Exception):
    """A call that failed.

    `code` is the gRPC status code, `message` is for people, `reason` is from the contract's ErrorReason enum (its
    name, for example "ERROR_REASON_NOT_FOUND") and `metadata` belongs to the reason. `stage` names the stage that was
    called; it is set on the caller's side.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        stage: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata: Mapping[str, str] = _NOTHING if metadata is None else metadata
        self.stage = stage

    def __str__(self) -> str:
        where = f"{self.stage}: " if self.stage else ""
        why = f" ({self.reason})" if self.reason else ""
        return f"{where}{self.code.name}: {self.message}{why}"

    def __repr__(self) -> str:
        return (
            f"HopError({self.code.name}, {self.message!r}, reason={self.reason!r}, "
            f"metadata={dict(self.metadata)!r}, stage={self.stage!r})"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self.code, self.message, self.reason, dict(self.metadata), self.stage)

    def copy(self) -> HopError:
        """An equal error, for another caller: a traceback belongs to one."""
        return HopError(self.code, self.message, reason=self.reason, metadata=self.metadata, stage=self.stage)

    def to_status(self) -> Status:
        """The error as it travels in an envelope."""
        return Status(code=self.code.value[0], message=self.message, reason=self.reason, metadata=dict(self.metadata))

    @classmethod
    def from_status(cls, status: Status, stage: str) -> HopError:
        """The error that `stage` sent; a code that gRPC does not know becomes UNKNOWN."""
        return cls(
            _CODES.get(status.code, grpc.StatusCode.UNKNOWN),
            status.message,
            reason=status.reason,
            metadata=dict(status.metadata),
            stage=stage,
        )

    def trailers(self) -> tuple[tuple[str, bytes], ...]:
        """The trailing metadata of a unary or streaming call that fails with this error."""
        encoded = self.to_status().SerializeToString()
        if len(encoded) > _STATUS_LIMIT:
            shortened = self.message.encode()[: _STATUS_LIMIT // 2].decode(errors="ignore")
            encoded = Status(code=self.code.value[0], message=shortened, reason=self.reason).SerializeToString()
        return ((STATUS_TRAILER, encoded),)

    @property
    def details(self) -> str:
        """The message, cut to what fits the header `grpc-message`."""
        return self.message[:_DETAILS_LIMIT]

    @classmethod
    def from_rpc_error(cls, error: grpc.aio.AioRpcError, stage: str) -> HopError:
        """The error behind a failed unary or streaming call of `stage`."""
        for key, value in error.trailing_metadata() or ():
            if key == STATUS_TRAILER and isinstance(value, bytes):
                try:
                    return cls.from_status(Status.FromString(value), stage)
                except DecodeError:
                    break
        return cls(error.code(), error.details() or error.code().name, stage=stage)


def _rebuild(code: grpc.StatusCode, message: str, reason: str, metadata: dict[str, str], stage: str) -> HopError:
    return HopError(code, message, reason=reason, metadata=metadata, stage=stage)


def unavailable(stage: str, message: str) -> HopError:
    """The stage cannot be reached, or went away while the call was in flight."""
    return HopError(grpc.StatusCode.UNAVAILABLE, message, stage=stage)


def deadline_exceeded(stage: str, method: str) -> HopError:
    """The caller's deadline passed before the stage answered."""
    return HopError(grpc.StatusCode.DEADLINE_EXCEEDED, f"{method} did not answer within its deadline", stage=stage)
