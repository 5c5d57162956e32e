"""How calls of webhooks fail: those that the failure policy decides about, and those that it does not.

Raised by `reviews` and `calls`, told to clients by the plugins; apiserver: pkg/util/webhook/error.go.
"""

from __future__ import annotations


class CallError(Exception):
    """A webhook could not be called or did not answer properly: its failure policy decides."""

    def __init__(self, hook: str, reason: str) -> None:
        super().__init__(f'failed calling webhook "{hook}": {reason}')
