"""Typed handles of RPCs: what a caller names and a server registers, without gRPC itself.

The generated packages hold one handle per RPC, for example `kubehop.pb.storage.v1.StorageRpcs.GET`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True)
class UnaryMethod(Generic[Request, Response]):
    """One request, one response."""

    path: str
    """Full gRPC path, "/package.Service/Method"."""
    request: type[Request]
    response: type[Response]


@dataclass(frozen=True, slots=True)
class StreamMethod(Generic[Request, Response]):
    """One request, a stream of responses."""

    path: str
    """Full gRPC path, "/package.Service/Method"."""
    request: type[Request]
    response: type[Response]


@dataclass(frozen=True, slots=True)
class Service:
    """A gRPC service and its methods, as a server registers them."""

    name: str
    """Full name, for example "kubehop.storage.v1.Storage"."""
    methods: tuple[UnaryMethod[Any, Any] | StreamMethod[Any, Any], ...]
