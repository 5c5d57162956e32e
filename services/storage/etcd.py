"""The etcd adapter: the only module that speaks to etcd, and the border at which its errors become storage's own.

The store, the freshness of reads and the watch cache call it; it hands on plain tuples. It uses aetcd's generated
messages directly on grpc.aio channels: a call through the high-level client costs twice the CPU.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple, NoReturn, TypeVar
from urllib.parse import urlsplit

import grpc
import grpc.aio
import structlog
from aetcd import rpc

from services.storage.compaction import Turn
from services.storage.errors import (
    AheadError,
    CompactedError,
    TooLargeError,
    UnavailableError,
    UnknownOutcomeError,
)
from services.storage.metrics import Requests
from services.storage.settings import EtcdSettings

_log = structlog.get_logger("storage.etcd")
_Answer = TypeVar("_Answer")

# a key that no one writes: reading it costs a quorum and nothing else
_NOTHING: Final = rpc.RangeRequest(key=b"\x00", count_only=True).SerializeToString()
_WHOLE_KEYSPACE: Final = b"\x00"
_DENIED: Final = "permission denied"
_WATCH_CLOSED: Final = "etcd closed the watch"


class KeyValue(NamedTuple):
    """One key as etcd returns it."""

    key: str
    value: bytes
    mod_revision: int
    stale: bool = False
    """Sealed otherwise than a write would seal it now (encryption)."""


class Page(NamedTuple):
    """A part of a range."""

    revision: int
    """Store revision when it was read, also for reads at an older one."""
    items: list[KeyValue]
    more: bool
    total: int
    """Keys in the whole range from its start on, those of this page included."""


class Change(NamedTuple):
    """One put or deletion in the order of revisions."""

    key: str
    value: bytes | None
    """None: deleted."""
    revision: int


class Written(NamedTuple):
    """What came of a transaction."""

    done: bool
    revision: int
    """Store revision: that of the write if done."""
    current: KeyValue | None
    """The key as it is instead, when not done; None when there is none."""


def as_bytes(key: str) -> bytes:
    """Key for the wire; keys that are no UTF-8 (never ours) survive the round trip."""
    return key.encode("utf-8", "surrogateescape")


def as_text(key: bytes) -> str:
    """Key from the wire."""
    return key.decode("utf-8", "surrogateescape")


class _Endpoint:
    """One member: its channel and the calls on it."""

    def __init__(self, url: str, credentials: grpc.ChannelCredentials | None, settings: EtcdSettings) -> None:
        parts = urlsplit(url)
        self.url = url
        target = f"unix:{parts.path}" if parts.scheme in ("unix", "unixs") else parts.netloc
        options: Sequence[tuple[str, Any]] = (
            # events of one revision come in one message, of any size
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            # a member that vanished without a word is noticed; etcd allows a ping every 5 s
            ("grpc.keepalive_time_ms", int(settings.keepalive_seconds * 1000)),
            ("grpc.keepalive_timeout_ms", 5_000),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2_000),
        )
        if credentials is None:
            self.channel = grpc.aio.insecure_channel(target, options=options)
        else:
            self.channel = grpc.aio.secure_channel(target, credentials, options=options)
        unary = self.channel.unary_unary
        kv, lease = "/etcdserverpb.KV/", "/etcdserverpb.Lease/"
        self.revision: Any = unary(f"{kv}Range", None, rpc.RangeResponse.FromString)
        self.range = unary(f"{kv}Range", rpc.RangeRequest.SerializeToString, rpc.RangeResponse.FromString)
        self.txn = unary(f"{kv}Txn", rpc.TxnRequest.SerializeToString, rpc.TxnResponse.FromString)
        self.compact = unary(f"{kv}Compact", rpc.CompactionRequest.SerializeToString, rpc.CompactionResponse.FromString)
        self.grant = unary(
            f"{lease}LeaseGrant", rpc.LeaseGrantRequest.SerializeToString, rpc.LeaseGrantResponse.FromString
        )
        self.watch: Any = self.channel.stream_stream(
            "/etcdserverpb.Watch/Watch", rpc.WatchRequest.SerializeToString, rpc.WatchResponse.FromString
        )


class Etcd:
    """A connection to an etcd cluster: any of its members, the next one when one fails."""

    def __init__(self, settings: EtcdSettings) -> None:
        credentials = None
        if any(urlsplit(url).scheme in ("https", "unixs") for url in settings.servers):
            credentials = grpc.ssl_channel_credentials(
                root_certificates=_bytes_of(settings.ca_file),
                private_key=_bytes_of(settings.key_file),
                certificate_chain=_bytes_of(settings.cert_file),
            )
        self._timeout = settings.request_timeout_seconds
        self._endpoints = [
            _Endpoint(url, credentials if urlsplit(url).scheme in ("https", "unixs") else None, settings)
            for url in settings.servers
        ]
        self._current = self._endpoints[0]
        self._root = as_bytes("/" + settings.prefix.strip("/") + "/")
        self.narrow = False
        """Whether etcd lets us see the registry alone: then its revision runs ahead of what the watch brings."""
        self.requests = Requests()
        """Latencies, for metrics."""
        self.quorum_reads = 0
        """Revision reads sent so far, for metrics and for the test that they are shared."""

    async def revision(self) -> int:
        """Current revision of the store, agreed by a quorum.

        Raises:
            UnavailableError: no quorum in reach.
        """
        self.quorum_reads += 1
        try:
            answer = await self._question(_NOTHING)
        except UnavailableError as error:
            if not self._narrowed_by(error.message):
                raise
            answer = await self._question(_NOTHING)
        return int(answer.header.revision)

    async def _question(self, request: bytes) -> Any:
        if self.narrow:
            request = rpc.RangeRequest(key=self._root, count_only=True).SerializeToString()
        return await self._read("revision", lambda member: member.revision(request, timeout=self._timeout))

    def _narrowed_by(self, message: str) -> bool:
        """Whether etcd refused because it lets us see the registry alone; from now on nothing else is asked for."""
        if self.narrow or _DENIED not in message:
            return False
        self.narrow = True
        _log.warning(
            "etcd lets us read the registry alone: reads of the latest state go to etcd while others write to it",
            prefix=as_text(self._root),
        )
        return True

    async def get(self, key: str, *, revision: int = 0) -> tuple[KeyValue | None, int]:
        """One key, linearizable or as of a revision, and the store's revision.

        Raises:
            UnavailableError, CompactedError, AheadError: see errors.
        """
        request = rpc.RangeRequest(key=as_bytes(key), revision=revision)
        answer = await self._read("get", lambda member: member.range(request, timeout=self._timeout))
        return (_key_value(answer.kvs[0]) if answer.kvs else None), int(answer.header.revision)

    async def page(self, start: str, end: str, *, limit: int, revision: int = 0) -> Page:
        """Keys from start until before end in order, at most limit (0: all), linearizable or as of a revision.

        Raises:
            UnavailableError, CompactedError, AheadError: see errors.
        """
        request = rpc.RangeRequest(key=as_bytes(start), range_end=as_bytes(end), limit=limit, revision=revision)
        answer = await self._read("list", lambda member: member.range(request, timeout=self._timeout))
        return Page(
            int(answer.header.revision), [_key_value(kv) for kv in answer.kvs], bool(answer.more), int(answer.count)
        )

    async def put_if(self, key: str, expected: int, value: bytes, lease: int = 0) -> Written:
        """Write a key if it was last written at the expected revision (0: if there is none).

        Raises:
            UnavailableError: not written. TooLargeError: not written.
            UnknownOutcomeError: the connection broke; it may be written, or be about to be.
        """
        raw = as_bytes(key)
        return await self._transaction(
            "update" if expected else "create",
            rpc.TxnRequest(
                compare=[_unchanged(raw, expected)],
                success=[rpc.RequestOp(request_put=rpc.PutRequest(key=raw, value=value, lease=lease))],
                failure=[rpc.RequestOp(request_range=rpc.RangeRequest(key=raw))],
            ),
        )

    async def delete_if(self, key: str, expected: int) -> Written:
        """Delete a key if it was last written at the expected revision. Raises what put_if raises."""
        raw = as_bytes(key)
        return await self._transaction(
            "delete",
            rpc.TxnRequest(
                compare=[_unchanged(raw, expected)],
                success=[rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=raw))],
                failure=[rpc.RequestOp(request_range=rpc.RangeRequest(key=raw))],
            ),
        )

    async def grant(self, ttl_seconds: int) -> int:
        """Grant a lease; keys attached to it vanish when it ends.

        Raises:
            UnavailableError: none granted that anyone knows of.
        """
        request = rpc.LeaseGrantRequest(TTL=ttl_seconds)
        try:
            return int((await self._current.grant(request, timeout=self._timeout)).ID)
        except grpc.aio.AioRpcError as error:
            self._next_member(self._current, error)
            raise UnavailableError(_why(error)) from None

    async def compact(self, revision: int) -> None:
        """Forget revisions before this one.

        Raises:
            UnavailableError, CompactedError: see errors.
        """
        request = rpc.CompactionRequest(revision=revision)
        await self._read("compact", lambda member: member.compact(request, timeout=self._timeout))

    async def take_turn(self, key: str, version: int, value: bytes) -> Turn:
        """Write a key if it has been written as often as `version` says; see compaction.

        Raises:
            UnavailableError, UnknownOutcomeError: see errors.
        """
        raw = as_bytes(key)
        compare = rpc.Compare(
            key=raw, target=rpc.Compare.CompareTarget.VERSION, result=rpc.Compare.CompareResult.EQUAL, version=version
        )
        request = rpc.TxnRequest(
            compare=[compare],
            success=[rpc.RequestOp(request_put=rpc.PutRequest(key=raw, value=value))],
            failure=[rpc.RequestOp(request_range=rpc.RangeRequest(key=raw))],
        )
        answer = await self._commit("turn", request)
        revision = int(answer.header.revision)
        if answer.succeeded:
            return Turn(True, version + 1, revision)
        found = answer.responses[0].response_range.kvs
        return Turn(False, int(found[0].version) if found else 0, revision)

    async def changes(self, after: int) -> AsyncGenerator[list[Change], None]:
        """All changes of the whole key space behind a revision, complete and in order, until cancelled.

        The whole key space: so every revision brings an event, and the cache always catches up with the store by
        itself. Asking etcd for its progress instead gives wrong answers before etcd 3.4.25 and 3.5.8.

        Raises:
            UnavailableError: connection lost; go on from the last revision received.
            CompactedError: the changes are gone.
        """
        member = self._current
        call = member.watch(metadata=(("hasleader", "true"),))
        try:
            key, end = _WHOLE_KEYSPACE, _WHOLE_KEYSPACE
            if self.narrow:
                key, end = self._root, self._root[:-1] + b"0"
            create = rpc.WatchCreateRequest(key=key, range_end=end, start_revision=after + 1)
            await call.write(rpc.WatchRequest(create_request=create))
            while (answer := await call.read()) is not grpc.aio.EOF:
                if answer.compact_revision:
                    raise CompactedError(int(answer.compact_revision))
                if answer.canceled:
                    self._narrowed_by(answer.cancel_reason)
                    raise UnavailableError(answer.cancel_reason or _WATCH_CLOSED)
                if answer.events:
                    yield [_change(event) for event in answer.events]
            raise UnavailableError(_WATCH_CLOSED)
        except grpc.aio.AioRpcError as error:
            self._next_member(member, error)
            raise UnavailableError(_why(error)) from None
        except asyncio.InvalidStateError:
            # what grpc.aio raises when it writes to a stream that has broken already
            self._next_member(member, None)
            raise UnavailableError(_WATCH_CLOSED) from None
        finally:
            call.cancel()

    async def close(self) -> None:
        """Close the connections; calls in flight fail."""
        for endpoint in self._endpoints:
            await endpoint.channel.close()

    async def _read(self, operation: str, call: Callable[[_Endpoint], Awaitable[_Answer]]) -> _Answer:
        """Call a member, and each other one once if it is out of reach: reads may be repeated."""
        began, failed = perf_counter(), True
        try:
            answer = await self._read_somewhere(call)
            failed = False
            return answer
        finally:
            self.requests.observe(operation, perf_counter() - began, failed=failed)

    async def _read_somewhere(self, call: Callable[[_Endpoint], Awaitable[_Answer]]) -> _Answer:
        for _ in range(len(self._endpoints) - 1):
            member = self._current
            try:
                return await call(member)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    _refuse(error)
                self._next_member(member, error)
        member = self._current
        try:
            return await call(member)
        except grpc.aio.AioRpcError as error:
            self._next_member(member, error)
            _refuse(error)

    async def _commit(self, operation: str, request: Any) -> Any:
        member, began, failed = self._current, perf_counter(), True
        try:
            answer = await member.txn(request, timeout=self._timeout)
            failed = False
        except grpc.aio.AioRpcError as error:
            self._next_member(member, error)
            _refuse_write(error)
        finally:
            self.requests.observe(operation, perf_counter() - began, failed=failed)
        return answer

    async def _transaction(self, operation: str, request: Any) -> Written:
        answer = await self._commit(operation, request)
        revision = int(answer.header.revision)
        if answer.succeeded:
            return Written(True, revision, None)
        found = answer.responses[0].response_range.kvs
        return Written(False, revision, _key_value(found[0]) if found else None)

    def _next_member(self, failed: _Endpoint, error: grpc.aio.AioRpcError | None) -> None:
        """Let the next call try another member when this one is out of reach."""
        out_of_reach = error is None or error.code() in (
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.DEADLINE_EXCEEDED,
        )
        if out_of_reach and len(self._endpoints) > 1 and self._current is failed:
            self._current = self._endpoints[(self._endpoints.index(failed) + 1) % len(self._endpoints)]
            _log.warning("etcd member failed, trying the next", failed=failed.url, next=self._current.url)


def _bytes_of(path: Path | None) -> bytes | None:
    return path.read_bytes() if path else None


def _unchanged(key: bytes, expected: int) -> Any:
    return rpc.Compare(
        key=key, target=rpc.Compare.CompareTarget.MOD, result=rpc.Compare.CompareResult.EQUAL, mod_revision=expected
    )


def _key_value(kv: Any) -> KeyValue:
    return KeyValue(as_text(kv.key), kv.value, kv.mod_revision)


def _change(event: Any) -> Change:
    kv = event.kv
    return Change(as_text(kv.key), None if event.type else kv.value, kv.mod_revision)


def _why(error: grpc.aio.AioRpcError) -> str:
    # the first line: gRPC appends whole traces of connection attempts
    details = (error.details() or error.code().name).splitlines()[0]
    return f"etcd: {details}"


def _refuse(error: grpc.aio.AioRpcError) -> NoReturn:
    """Translate the failure of a read."""
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.OUT_OF_RANGE:
        if "compacted" in details:
            raise CompactedError(0) from None
        if "future revision" in details:
            raise AheadError(details) from None
    raise UnavailableError(_why(error)) from None


_NEVER_SENT: Final = re.compile(
    r"failed to connect|connections to all backends failing|resolution failed", re.IGNORECASE
)


def _refuse_write(error: grpc.aio.AioRpcError) -> NoReturn:
    """Translate the failure of a write: what certainly was not written, and what may have been."""
    code, details = error.code(), error.details() or ""
    if "too large" in details or ("larger than max" in details and code is grpc.StatusCode.RESOURCE_EXHAUSTED):
        raise TooLargeError("etcdserver: request is too large") from None
    refused = (
        # refused by etcd before it was proposed
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.UNIMPLEMENTED,
    )
    if code in refused or (code is grpc.StatusCode.UNAVAILABLE and _NEVER_SENT.search(details)):
        raise UnavailableError(_why(error)) from None
    raise UnknownOutcomeError(_why(error)) from None
