"""Rules for IP addresses and address ranges, in kube-apiserver's words.

Fields from before v1.33 take addresses in forms that Go once read and no longer does: numbers with leading zeros, and
IPv4 addresses inside IPv6 ones. Facts: apimachinery pkg/util/validation/ip.go.
"""

from __future__ import annotations

import ipaddress
import re

from kubehop.kinds.validation import Errors
from kubehop.machinery import fields
from kubehop.machinery.fields import Path

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

INVALID_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
INVALID_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_SPECIAL_RANGES = (
    ("is_loopback", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
    ("is_link_local", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
)
_LEADING_ZEROS = re.compile(r"(^|[.:])0+(?=[0-9]+(?:\.|$))")
_MULTICAST = (ipaddress.ip_network("224.0.0.0/24"), ipaddress.ip_network("ff02::/16"))


def parse_address(text: str) -> Address | None:
    """Return an address as lenient fields read it, None where it is none (ParseIPSloppy)."""
    if "%" in text:
        return None
    try:
        found = ipaddress.ip_address(_LEADING_ZEROS.sub(r"\1", text) if "." in text else text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def parse_range(text: str) -> Network | None:
    """Return an address range as lenient fields read it, None where it is none (ParseCIDRSloppy)."""
    address, slash, bits = text.partition("/")
    found = parse_address(address)
    if found is None or not slash or not bits.isascii() or not bits.isdigit():
        return None
    try:
        return ipaddress.ip_network(f"{found}/{bits}", strict=False)
    except ValueError:
        return None


def family(text: str) -> str:
    """Return `IPv4` or `IPv6` for an address or range, "" for what is neither."""
    found = parse_range(text) if "/" in text else parse_address(text)
    return f"IPv{found.version}" if found is not None else ""


def ip(path: Path, text: str, kept: tuple[str, ...] = ()) -> Errors:
    """Want an address (IsValidIPForLegacyField); those that were there before are kept."""
    if text not in kept and parse_address(text) is None:
        yield fields.invalid(path, text, INVALID_ADDRESS)


def cidr(path: Path, text: str, kept: tuple[str, ...] = ()) -> Errors:
    """Want an address range (IsValidCIDRForLegacyField)."""
    if text not in kept and parse_range(text) is None:
        yield fields.invalid(path, text, INVALID_RANGE)


def strict_cidr(path: Path, text: str) -> Errors:
    """Want an address range in its one form (IsValidCIDR)."""
    found = parse_range(text)
    if found is None:
        yield fields.invalid(path, text, INVALID_RANGE)
        return
    address = parse_address(text.partition("/")[0])
    if ":" in text and found.version == 4:
        yield fields.invalid(path, text, "must not be an IPv4-mapped IPv6 address")
    elif str(address) != str(found.network_address):
        yield fields.invalid(path, text, "must not have any bits set beyond the prefix length")
    elif str(found) != text:
        yield fields.invalid(path, text, f'must be in canonical form ("{found}")')


def strict_ip_messages(text: str) -> list[str]:
    """Return what is wrong with an address that has to be in its one form (IsValidIP)."""
    found = parse_address(text)
    if found is None:
        return [INVALID_ADDRESS]
    if ":" in text and found.version == 4:
        return ["must not be an IPv4-mapped IPv6 address"]
    return [] if str(found) == text else [f'must be in canonical form ("{found}")']


def of_family(path: Path, text: str, wanted: str) -> Errors:
    """Want an address of one family (IsValidIPv4Address, IsValidIPv6Address)."""
    if family(text) != wanted or "/" in text:
        yield fields.invalid(path, text, f"must be an {wanted} address")


def not_special(path: Path, text: str) -> Errors:
    """Refuse addresses that mean this machine or this link (ValidateNonSpecialIP)."""
    found = parse_address(text)
    if found is None:
        yield fields.invalid(path, text, "must be a valid IP address")
        return
    if found.is_unspecified:
        yield fields.invalid(path, text, f"may not be unspecified ({text})")
    for attribute, message in _SPECIAL_RANGES:
        if getattr(found, attribute):
            yield fields.invalid(path, text, message)
    if any(found in network for network in _MULTICAST):
        text_of = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        yield fields.invalid(path, text, text_of)
