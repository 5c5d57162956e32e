"""Sends the warnings that a request collected as RFC 7234 Warning headers.

Outside authentication, which may warn even where it refuses. Each warning goes out once; when they grow too long
they are shortened. As kube-apiserver: pkg/endpoints/filters/warning.go and apimachinery's net.NewWarningHeader.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext

TOTAL_RUNES = 4 * 1024
ITEM_RUNES = 256


def wrap(handler: Handler) -> Handler:
    """Return the handler whose warnings become headers, whether it answers or raises."""

    async def with_warnings(request: RequestContext) -> Answer:
        try:
            return await handler(request)
        finally:
            if request.warnings:
                write_warnings(request)

    return with_warnings


def write_warnings(request: RequestContext) -> None:
    """Move the collected warnings into the head of the answer; streams do so when they begin."""
    warnings, request.warnings = request.warnings, None
    if warnings:
        request.head.extend(_header_lines(warnings))


def _header_lines(warnings: Iterable[str]) -> list[str]:
    sendable = [text for text in warnings if not any(ord(char) < 0x20 or ord(char) == 0x7F for char in text)]
    if sum(map(len, sendable)) > TOTAL_RUNES:
        kept, written = [], 0
        for text in sendable:
            if written >= TOTAL_RUNES:
                break
            kept.append(text[:ITEM_RUNES])
            written += len(kept[-1])
        sendable = kept
    return [f"Warning: 299 - {_quote(text)}\r\n" for text in sendable]


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
