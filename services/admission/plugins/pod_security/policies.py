"""Which level of the Pod Security Standards applies, in which version: labels of a namespace over the defaults.

Used by `plugin`; source of the behaviour: pod-security-admission api/helpers.go and admission/api.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from kubehop.machinery import fields
from kubehop.machinery.fields import FieldError, Path

LEVELS: Final = ("privileged", "baseline", "restricted")
"""From lenient to strict."""
PREFIX: Final = "pod-security.kubernetes.io/"
LATEST: Final = 1 << 30
"""The version "latest", newer than any."""
_VERSION: Final = re.compile(r"v1\.([0-9]|[1-9][0-9]*)", re.ASCII).fullmatch
_LABELS: Final = Path("metadata", "labels")


class Standard(NamedTuple):
    """A level in the version of a release: 30 is v1.30."""

    level: str = "privileged"
    minor: int = LATEST

    def __str__(self) -> str:
        """`restricted:v1.30`."""
        return f"{self.level}:{'latest' if self.minor == LATEST else f'v1.{self.minor}'}"

    @property
    def strictness(self) -> int:
        """The place of the level in LEVELS."""
        return LEVELS.index(self.level)


PRIVILEGED: Final = Standard()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a namespace asks for in each mode."""

    enforce: Standard = PRIVILEGED
    audit: Standard = PRIVILEGED
    warn: Standard = PRIVILEGED

    @property
    def is_privileged(self) -> bool:
        """Whether it asks for nothing at all."""
        return all(standard.level == "privileged" for standard in (self.enforce, self.audit, self.warn))

    def amounts_to(self, other: Policy) -> bool:
        """Whether both mean the same; the version of privileged means nothing."""
        pairs = ((self.enforce, other.enforce), (self.audit, other.audit), (self.warn, other.warn))
        return all(a == b or a.level == b.level == "privileged" for a, b in pairs)


def level(text: str) -> str:
    """A level. ValueError in the words of Kubernetes."""
    if text not in LEVELS:
        raise ValueError(f"must be one of {', '.join(LEVELS)}")
    return text


def minor(text: str) -> int:
    """A version, `latest` or `v1.x`. ValueError in the words of Kubernetes."""
    if text == "latest":
        return LATEST
    match = _VERSION(text)
    if match is None:
        raise ValueError('must be "latest" or "v1.x"')
    return int(match.group(1))


def policy_of(labels: Mapping[str, str], defaults: Policy) -> tuple[Policy, list[FieldError]]:
    """What labels ask for, and what is wrong with them; enforcement fails closed, the other modes fail open."""
    errors: list[FieldError] = []
    sound: set[str] = set()
    policy = defaults
    for mode, fallback in (("enforce", "restricted"), ("audit", "privileged"), ("warn", "privileged")):
        standard: Standard = getattr(policy, mode)
        key = PREFIX + mode
        if key in labels:
            try:
                standard = standard._replace(level=level(labels[key]))
                sound.add(mode)
            except ValueError as error:
                standard = standard._replace(level=fallback)
                errors.append(fields.invalid(_LABELS.key(key), labels[key], str(error)))
        key += "-version"
        if key in labels:
            try:
                standard = standard._replace(minor=minor(labels[key]))
            except ValueError as error:
                standard = standard._replace(minor=LATEST)
                errors.append(fields.invalid(_LABELS.key(key), labels[key], str(error)))
        policy = _with(policy, mode, standard)
    stricter = policy.enforce.strictness > policy.warn.strictness
    if f"{PREFIX}warn" not in labels and "enforce" in sound and stricter:
        # who asks for enforcement is warned of what will be refused
        version = policy.warn.minor if f"{PREFIX}warn-version" in labels else policy.enforce.minor
        policy = replace(policy, warn=Standard(policy.enforce.level, version))
    return policy, errors


def _with(policy: Policy, mode: str, standard: Standard) -> Policy:
    if mode == "enforce":
        return replace(policy, enforce=standard)
    return replace(policy, audit=standard) if mode == "audit" else replace(policy, warn=standard)


NO_POLICY: Final = Policy()
