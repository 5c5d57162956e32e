"""Rules for IP addresses and address ranges, in kube-apiserver's words.

Fields from before v1.33 refuse what is ambiguous and warn of what is not in the one canonical form; newer fields want
that form. Values that an old object has already are kept. Facts: apimachinery pkg/util/validation/ip.go.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator

from kubehop.kinds.validation import Errors
from kubehop.machinery import fields, gotext
from kubehop.machinery.fields import Path

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

INVALID_ADDRESS = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
INVALID_RANGE = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
_ZERO = re.compile(r"(^|[.:])0+(?=[0-9])")
_LOOPBACK = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
_LINK_LOCAL = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
_LINK_LOCAL_MULTICAST = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
_MULTICAST = (ipaddress.ip_network("224.0.0.0/24"), ipaddress.ip_network("ff02::/16"))


def parse_address(text: str) -> Address | None:
    """Return an address, leading zeros and IPv4 inside IPv6 understood; None where it is none (ParseIPSloppy)."""
    if "%" in text:
        return None
    try:
        found = ipaddress.ip_address(_ZERO.sub(r"\1", text) if "." in text and ":" not in text else text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def parse_range(text: str) -> Network | None:
    """Return an address range, read as leniently; None where it is none (ParseCIDRSloppy)."""
    address, slash, bits = text.partition("/")
    found = parse_address(address)
    if found is None or not slash or not bits.isascii() or not bits.isdigit():
        return None
    size = int(bits) - (96 if found.version == 4 and ":" in address else 0)
    try:
        return ipaddress.ip_network(f"{found}/{size}", strict=False)
    except ValueError:
        return None


def family(text: str) -> str:
    """Return `IPv4` or `IPv6` for an address or range, "" for what is neither."""
    found = parse_range(text) if "/" in text else parse_address(text)
    return f"IPv{found.version}" if found is not None else ""


def _has_zeros(text: str) -> bool:
    return "." in text and ":" not in text and _ZERO.search(text) is not None


def ip(path: Path, text: str, kept: Collection[str] = ()) -> Errors:
    """Want an address (IsValidIPForLegacyField)."""
    if text in kept:
        return
    found = parse_address(text)
    if found is None:
        yield fields.invalid(path, text, INVALID_ADDRESS)
    elif _has_zeros(text):
        yield fields.invalid(path, text, "must not have leading 0s")
    elif ":" in text and found.version == 4:
        yield fields.invalid(path, text, "must not be an IPv4-mapped IPv6 address")


def canonical_ip(path: Path, text: str) -> Errors:
    """Want an address in its one form (IsValidIP)."""
    found = list(ip(path, text))
    yield from found
    if not found and str(parse_address(text)) != text:
        yield fields.invalid(path, text, f"must be in canonical form ({gotext.quote(str(parse_address(text)))})")


def cidr(path: Path, text: str, kept: Collection[str] = ()) -> Errors:
    """Want an address range (IsValidCIDRForLegacyField)."""
    if text in kept:
        return
    found = parse_range(text)
    if found is None:
        yield fields.invalid(path, text, INVALID_RANGE)
        return
    address, _, bits = text.partition("/")
    if _has_zeros(address) or (len(bits) > 1 and bits.startswith("0")):
        yield fields.invalid(path, text, "must not have leading 0s in IP or prefix length")
    elif ":" in address and found.version == 4:
        yield fields.invalid(path, text, "must not have an IPv4-mapped IPv6 address")
    elif parse_address(address) != found.network_address:
        yield fields.invalid(path, text, "must not have bits set beyond the prefix length")


def canonical_cidr(path: Path, text: str) -> Errors:
    """Want an address range in its one form (IsValidCIDR)."""
    found = list(cidr(path, text))
    yield from found
    if not found and str(parse_range(text)) != text:
        yield fields.invalid(path, text, f"must be in canonical form ({gotext.quote(str(parse_range(text)))})")


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
    if found.is_loopback:
        yield fields.invalid(path, text, _LOOPBACK)
    if found.is_link_local:
        yield fields.invalid(path, text, _LINK_LOCAL)
    if any(found in network for network in _MULTICAST):
        yield fields.invalid(path, text, _LINK_LOCAL_MULTICAST)


def ip_warnings(path: Path, text: str) -> Iterator[str]:
    """Yield what to tell of an address that is valid (GetWarningsForIP)."""
    found = parse_address(text)
    if found is None:
        return
    quoted, better = gotext.quote(text), gotext.quote(str(found))
    if _has_zeros(text) or (":" in text and found.version == 4):
        yield f"{path}: non-standard IP address {quoted} is invalid: use {better}"
    elif found.version == 6 and str(found) != text:
        yield f"{path}: IPv6 address {quoted} should be in RFC 5952 canonical format ({better})"


def cidr_warnings(path: Path, text: str) -> Iterator[str]:
    """Yield what to tell of an address range that is valid (GetWarningsForCIDR)."""
    found = parse_range(text)
    address, _, bits = text.partition("/")
    plain = parse_address(address)
    if found is None or plain is None:
        return
    quoted, better = gotext.quote(text), gotext.quote(str(found))
    warned = False
    if plain != found.network_address:
        alone = gotext.quote(f"{plain}/{plain.max_prefixlen}")
        yield f"{path}: CIDR value {quoted} is ambiguous in this context (should be {better} or {alone}?)"
        warned = True
    mapped = ":" in address and found.version == 4
    if _has_zeros(address) or mapped or (len(bits) > 1 and bits.startswith("0")):
        yield f"{path}: non-standard CIDR value {quoted} is invalid: use {better}"
        warned = True
    if not warned and found.version == 6 and str(found) != text:
        yield f"{path}: IPv6 CIDR value {quoted} should be in RFC 5952 canonical format ({better})"
