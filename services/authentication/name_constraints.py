"""Name constraints of a certificate authority, checked against the names of what it signed.

As Go's crypto/x509: DNS names, e-mail addresses, IP addresses and URIs; a name of a kind that the authority
constrains must lie in a permitted subtree and in no excluded one. Called by `certificates` for each authority.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from cryptography import x509


class ConstraintError(Exception):
    """A name that the authority must not sign for, or one that cannot be judged."""


def _labels(domain: str) -> list[str]:
    return domain.lower().rstrip(".").split(".")[::-1]


def _domain_within(domain: str, constraint: str) -> bool:
    """Tell whether a domain is the constraint or below it; with a leading dot, only below it."""
    if not constraint:
        return True
    below = constraint.startswith(".")
    have, want = _labels(domain), _labels(constraint.removeprefix("."))
    if len(have) < len(want) + below:
        return False
    return have[: len(want)] == want


def _mailbox_within(mailbox: str, constraint: str) -> bool:
    local, at, domain = mailbox.rpartition("@")
    if not at:
        raise ConstraintError(f"cannot parse rfc822Name {mailbox!r}")
    if "@" in constraint:
        wanted_local, _, wanted_domain = constraint.rpartition("@")
        return local == wanted_local and domain.lower() == wanted_domain.lower()
    if constraint and not constraint.startswith("."):
        return domain.lower() == constraint.lower()
    return _domain_within(domain, constraint)


def _uri_within(uri: str, constraint: str) -> bool:
    host = urlsplit(uri).hostname
    if not host:
        raise ConstraintError(f"URI with empty host ({uri!r}) cannot be matched against constraints")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if constraint and not constraint.startswith("."):
            return host.lower() == constraint.lower()
        return _domain_within(host, constraint)
    raise ConstraintError(f"URI with IP ({uri!r}) cannot be matched against constraints")


def _name_within(name: x509.GeneralName, constraint: x509.GeneralName) -> bool:
    value, bound = name.value, constraint.value
    if isinstance(name, x509.IPAddress):
        return isinstance(bound, ipaddress.IPv4Network | ipaddress.IPv6Network) and value in bound
    rule: Callable[[str, str], bool] = _domain_within
    if isinstance(name, x509.RFC822Name):
        rule = _mailbox_within
    elif isinstance(name, x509.UniformResourceIdentifier):
        rule = _uri_within
    return rule(str(value), str(bound))


def check_constraints(constraints: x509.NameConstraints, names: Iterable[x509.GeneralName]) -> None:
    """Check every name that has a kind which can be constrained. Raises ConstraintError."""
    permitted: Sequence[x509.GeneralName] = constraints.permitted_subtrees or ()
    excluded: Sequence[x509.GeneralName] = constraints.excluded_subtrees or ()
    for name in names:
        if not isinstance(name, x509.DNSName | x509.RFC822Name | x509.IPAddress | x509.UniformResourceIdentifier):
            continue
        if any(type(bound) is type(name) and _name_within(name, bound) for bound in excluded):
            raise ConstraintError(f"{name.value} is excluded")
        bounds = [bound for bound in permitted if type(bound) is type(name)]
        if bounds and not any(_name_within(name, bound) for bound in bounds):
            raise ConstraintError(f"{name.value} is not permitted")
