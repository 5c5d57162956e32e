"""The one way in which a command gives up: a line that says what to do, and an exit status.

Raised anywhere below `__main__`, which prints it; nothing else in the package prints an error and exits.
"""

from __future__ import annotations

from typing import Final

BAD_INPUT: Final = 2
FAILED: Final = 1


class CommandError(Exception):
    """What the user did or has to do, in one line (several problems: one line each)."""

    def __init__(self, *lines: str, status: int = BAD_INPUT) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.status = status
