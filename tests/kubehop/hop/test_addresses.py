"""Addresses of stages."""

from __future__ import annotations

import pytest

from kubehop.hop import addresses
from kubehop.hop.addresses import AddressError


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("storage:7443", "storage:7443"),
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("[::1]:7443", "[::1]:7443"),
        ("unix:/run/kubehop/s.sock", "unix:/run/kubehop/s.sock"),
        ("unix:///run/kubehop/s.sock", "unix:/run/kubehop/s.sock"),
    ],
)
def test_sound_addresses(given: str, taken: str) -> None:
    """They come back in the form that gRPC takes."""
    assert addresses.check(given) == taken


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("storage", "host:port or unix:/path"),
        (":7443", "host:port or unix:/path"),
        ("::1:7443", "brackets"),
        ("storage:http", "port must be a number"),
        ("storage:70000", "port must be a number"),
        ("unix:s.sock", "absolute"),
        ("unix:/" + "x" * 120, "at most 10"),
    ],
)
def test_unsound_addresses(given: str, complaint: str) -> None:
    """They are refused with a line that says what to write instead."""
    with pytest.raises(AddressError, match=complaint):
        addresses.check(given)
