"""What a provider is: something that seals bytes and opens them. Static keys are in `ciphers`, KMS in `kms`.

`sealed` asks the `Transformer` of a resource. The etcd key of an object is authenticated with it wherever the cipher
can: a value copied to another key does not open. Formats: kubernetes/apiserver pkg/storage/value/transformer.go,
pkg/storage/value/encrypt/{aes,secretbox,identity}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

ENCRYPTED: Final = b"k8s:enc:"


class TransformError(Exception):
    """A value cannot be sealed or opened; the message holds nothing secret."""


class Opened(NamedTuple):
    """A value in plain."""

    data: bytes
    stale: bool
    """The next write would seal it differently: an update that changes nothing is written all the same."""


class Transformer(Protocol):
    """One way to seal. `context` is the etcd key."""

    async def open(self, data: bytes, context: bytes) -> Opened:
        """Return the plain value. Raises TransformError."""
        ...

    async def seal(self, data: bytes, context: bytes) -> bytes:
        """Return the sealed value. Raises TransformError."""
        ...


class Identity:
    """Values as they are; refuses those which are sealed."""

    async def open(self, data: bytes, context: bytes) -> Opened:  # noqa: ARG002 - the protocol's
        """Give it back."""
        if data.startswith(ENCRYPTED):
            raise TransformError("identity transformer tried to read encrypted data")
        return Opened(data, False)

    async def seal(self, data: bytes, context: bytes) -> bytes:  # noqa: ARG002 - the protocol's
        """Give it back, unless it would later pass for sealed."""
        if data.startswith(ENCRYPTED):
            raise TransformError("identity transformer tried to write encrypted data")
        return data


class Prefixed(NamedTuple):
    """A transformer and the bytes that mark its values."""

    prefix: bytes
    transformer: Transformer


class Choice:
    """The first of several seals; whichever's prefix a value carries opens it."""

    def __init__(self, choices: Sequence[Prefixed], nothing_matches: str) -> None:
        self._choices = choices
        self._nothing_matches = nothing_matches

    async def open(self, data: bytes, context: bytes) -> Opened:
        """Try each whose prefix the value has: after a rotation two may have the same."""
        problems: list[str] = []
        for position, (prefix, transformer) in enumerate(self._choices):
            if not data.startswith(prefix):
                continue
            try:
                opened = await transformer.open(data[len(prefix) :], context)
            except TransformError as error:
                # identity refuses what another provider sealed: that one comes later in the list
                if prefix and str(error) not in problems:
                    problems.append(str(error))
                continue
            return Opened(opened.data, opened.stale or position > 0)
        if len(problems) > 1:
            raise TransformError("[" + ", ".join(problems) + "]")
        raise TransformError(problems[0] if problems else self._nothing_matches)

    async def seal(self, data: bytes, context: bytes) -> bytes:
        """Seal with the first."""
        prefix, transformer = self._choices[0]
        return prefix + await transformer.seal(data, context)
