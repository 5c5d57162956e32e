"""Why an address or port cannot be had, in the words that clients of kube-apiserver know.

Facts: pkg/registry/core/service/ipallocator/interfaces.go and portallocator/allocator.go.
"""

from __future__ import annotations


class AllocationError(Exception):
    """It cannot be had; the message says why."""


class FullError(AllocationError):
    """Nothing is left."""

    def __init__(self) -> None:
        super().__init__("range is full")


class TakenError(AllocationError):
    """Somebody else has it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"provided {what} is already allocated")


class OutOfRangeError(AllocationError):
    """It is not one of those that are given away."""

    def __init__(self, what: str, valid: str) -> None:
        super().__init__(f"provided {what} is not in the valid range. The range of valid {what}s is {valid}")


class WrongNetworkError(AllocationError):
    """No configured range holds it."""

    def __init__(self) -> None:
        super().__init__("the provided network does not match the current range")
