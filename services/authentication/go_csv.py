"""Comma-separated records exactly as Go's encoding/csv reads them, errors included.

kube-apiserver reads its token file with that package; Python's csv module is more lenient (it accepts quotes in the
middle of a field), so that a file which kube-apiserver refuses would pass. Used by the token file authenticator.
"""

from __future__ import annotations

from collections.abc import Iterator

BARE_QUOTE = 'bare " in non-quoted field'
BAD_QUOTE = 'extraneous or missing " in quoted-field'


class CSVError(ValueError):
    """A record that cannot be parsed; the text names line and column (in bytes, from 1)."""

    def __init__(self, start_line: int, line: int, column: int, problem: str) -> None:
        prefix = f"record on line {start_line}; " if start_line != line else ""
        super().__init__(f"{prefix}parse error on line {line}, column {column}: {problem}")


def records(data: bytes) -> Iterator[list[bytes]]:
    """Yield the records of a file, however many fields each has; empty lines are skipped. Raises CSVError."""
    lines = _Lines(data)
    while (line := lines.read()) is not None:
        if line != b"\n":
            yield _record(line, lines)


class _Lines:
    """Lines with their newline, carriage returns before it dropped, and the number of the last one read."""

    def __init__(self, data: bytes) -> None:
        self._lines = iter(data.splitlines(keepends=True) if b"\r" not in data else _split(data))
        self.number = 0

    def read(self) -> bytes | None:
        line = next(self._lines, None)
        if line is not None:
            self.number += 1
        return line


def _split(data: bytes) -> Iterator[bytes]:
    """Split at newlines only (bytes.splitlines also splits at a lone carriage return)."""
    parts = data.split(b"\n")
    for part in parts[:-1]:
        yield part.removesuffix(b"\r") + b"\n"
    if parts[-1]:
        yield parts[-1].removesuffix(b"\r")


def _record(line: bytes, lines: _Lines) -> list[bytes]:
    start = lines.number
    fields: list[bytes] = []
    column = 1
    while True:
        if not line.startswith(b'"'):
            field, comma, rest = line.removesuffix(b"\n").partition(b",") if b"," not in line else line.partition(b",")
            if (quote := field.find(b'"')) >= 0:
                raise CSVError(start, lines.number, column + quote, BARE_QUOTE)
            fields.append(field)
            if not comma:
                return fields
            line, column = rest, column + len(field) + 1
            continue
        field, line, column = _quoted(line[1:], lines, start, column + 1)
        fields.append(field)
        if not line.startswith(b","):
            return fields
        line, column = line[1:], column + 1


def _quoted(line: bytes, lines: _Lines, start: int, column: int) -> tuple[bytes, bytes, int]:
    """Read a quoted field behind its opening quote; return it, what follows its closing quote, and the column."""
    field = bytearray()
    while True:
        quote = line.find(b'"')
        if quote >= 0:
            field += line[:quote]
            line, column = line[quote + 1 :], column + quote + 1
            if line.startswith(b'"'):
                field += b'"'
                line, column = line[1:], column + 1
            elif line.startswith(b",") or line in {b"", b"\n"}:
                return bytes(field), line, column
            else:
                raise CSVError(start, lines.number, column - 1, BAD_QUOTE)
            continue
        field += line
        column += len(line)
        following = lines.read()
        if following is None:
            raise CSVError(start, lines.number, column, BAD_QUOTE)
        line, column = following, 1
