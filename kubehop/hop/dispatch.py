"""From a method path to the servicer's coroutine, and what every served call leaves behind.

`kubehop.hop.server` binds a servicer once; the unary door (`server`) and the exchange lane (`exchange`) both run calls
through the `Handler`s found here, so that errors, log lines and metrics are the same whichever way a call came.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError, Message

from kubehop.hop import logs, metrics
from kubehop.hop.calls import Call
from kubehop.hop.errors import HopError
from kubehop.pb.methods import Service, StreamMethod, UnaryMethod

OK: Final = "OK"
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(slots=True, eq=False)
class Handler:
    """One RPC of the contract, bound to the servicer."""

    path: str
    name: str
    """Short name for logs: "Get" of "/kubehop.storage.v1.Storage/Get"."""
    request: type[Message]
    function: Callable[[Any, Call], Any]
    immediate: bool
    """The servicer's method is a plain function, which may answer without a task of its own."""
    stats: metrics.MethodStats

    def decode(self, payload: bytes) -> Message:
        """The request in `payload`. Raises HopError INVALID_ARGUMENT where it does not decode."""
        try:
            return self.request.FromString(payload)
        except DecodeError as error:
            raise HopError(
                grpc.StatusCode.INVALID_ARGUMENT, f"the payload is not a {self.request.DESCRIPTOR.full_name}"
            ) from error

    def finish(self, call: Call, code: str, started: float, bytes_in: int, bytes_out: int) -> None:
        """Record a call that ended with the gRPC status `code`: metrics and, where it is wanted, its log line."""
        seconds = perf_counter() - started
        self.stats.record(code, seconds, bytes_in, bytes_out)
        log = logs.hops()
        if log is not None and log.enabled:
            fields = call.fields
            verdict = fields.get("verdict") if code == OK else None
            if verdict is not None:
                fields = {key: value for key, value in fields.items() if key != "verdict"}
            log.write(
                audit_id=call.context.audit_id,
                method=self.name,
                verdict=str(verdict) if verdict is not None else _WORDS.get(code, code),
                seconds=seconds,
                bytes_in=bytes_in,
                bytes_out=bytes_out,
                fields=fields,
            )

    def failure(self, call: Call, error: Exception) -> HopError:
        """What the caller learns of `error`; the unexpected is logged whole and leaves as a bland INTERNAL."""
        if isinstance(error, HopError):
            if "reason" not in call.fields and error.reason:
                call.log(reason=error.reason)
            call.log(message=error.message)
            return error
        logs.get(audit_id=call.context.audit_id).error("unexpected failure", method=self.path, exc_info=error)
        return HopError(grpc.StatusCode.INTERNAL, f"{self.name} failed unexpectedly; the stage's log tells more")


_WORDS: Final = {code.name: code.name.lower().replace("_", "-") for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Bound:
    """A servicer bound to its contract."""

    unary: dict[str, Handler]
    stream: dict[str, Handler]


def snake_case(name: str) -> str:
    """The Python name of an RPC: "SubjectRules" becomes "subject_rules"."""
    return _WORD_START.sub("_", name).lower()


def bind(stage: str, service: Service, servicer: object) -> Bound:
    """Find the servicer's method for each RPC. Raises TypeError that names every one that is missing or misshapen."""
    bound = Bound({}, {})
    problems = []
    for method in service.methods:
        name = method.path.rpartition("/")[2]
        function = getattr(servicer, snake_case(name), None)
        if not callable(function):
            problems.append(f"{snake_case(name)} is missing")
            continue
        streams = isinstance(method, StreamMethod)
        if streams and inspect.iscoroutinefunction(function):
            problems.append(f"{snake_case(name)} must be an async generator")
        if not streams and inspect.isasyncgenfunction(function):
            problems.append(f"{snake_case(name)} must be a coroutine function")
        handler = Handler(
            method.path,
            name,
            method.request,
            function,
            immediate=not inspect.iscoroutinefunction(function),
            stats=metrics.method_stats("server", stage, method.path),
        )
        (bound.unary if isinstance(method, UnaryMethod) else bound.stream)[method.path] = handler
    if problems:
        raise TypeError(f"{type(servicer).__name__} does not serve {service.name}: {'; '.join(problems)}")
    return bound
