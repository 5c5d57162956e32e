"""What checks are made of: violations, who committed them, and how lists of names read.

Used by `baseline` and `restricted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kubehop.machinery.objects import Object
from services.admission.pods import containers

Context = Mapping[str, Any]
"""A securityContext; empty where there is none."""


class Violation(NamedTuple):
    """Why a pod does not meet a standard."""

    reason: str
    detail: str

    def __str__(self) -> str:
        """As refusals and warnings about one pod read."""
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


Check = Callable[[Object, Object], Violation | None]
"""Judges a pod by its metadata and spec."""


class Versioned(NamedTuple):
    """A check from a version of the standards on."""

    since: int
    """1.x"""
    check: Check


class Rule(NamedTuple):
    """One rule of a level; the checks of its versions in order."""

    name: str
    versions: tuple[Versioned, ...]
    overrides: str = ""
    """The rule of the baseline that it takes the place of."""


def pod_context(spec: Object) -> Context:
    """The security context of a pod."""
    return spec.get("securityContext") or {}


def contexts(spec: Object) -> Iterator[tuple[str, Context]]:
    """Every container's name with its security context."""
    for _, container in containers(spec):
        yield container.get("name", ""), container.get("securityContext") or {}


def offenders(spec: Object, is_bad: Callable[[Context], bool]) -> list[str]:
    """The names of the containers whose security context is bad."""
    return [name for name, context in contexts(spec) if is_bad(context)]


def setters(pod_is_bad: bool, bad_containers: Sequence[str]) -> str:
    """`pod and containers "a", "b"`; "" for nobody."""
    parts = ["pod"] if pod_is_bad else []
    if bad_containers:
        parts.append(these("container", bad_containers))
    return " and ".join(parts)


def these(noun: str, names: Sequence[str]) -> str:
    """`container "a"` or `containers "a", "b"`."""
    return f"{plural(noun, len(names))} {quoted(names)}"


def plural(noun: str, count: int) -> str:
    """The noun as it reads for so many."""
    return noun if count == 1 else f"{noun}s"


def quoted(names: Iterable[str]) -> str:
    """`"a", "b"`."""
    return ", ".join(f'"{name}"' for name in names)


def in_user_namespace(spec: Object) -> bool:
    """Whether a pod's users are not those of its host."""
    return spec.get("hostUsers") is False


def unless(exempt: Callable[[Object], bool], check: Check) -> Check:
    """The check, but for pods that are exempt."""

    def checked(meta: Object, spec: Object) -> Violation | None:
        return None if exempt(spec) else check(meta, spec)

    return checked
