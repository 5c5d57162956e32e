"""Arithmetic of resource lists: how usage is added, masked, compared and printed.

Used by `judging` and `ledger`; apiserver: pkg/quota/v1/resources.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from kubehop.machinery.quantity import Quantity

Usage = Mapping[str, Quantity]

ZERO = Quantity(0)
ONE = Quantity(1)


def plus(first: Usage, second: Usage) -> dict[str, Quantity]:
    """Both together."""
    return {**first, **{name: first[name] + more if name in first else more for name, more in second.items()}}


def minus(first: Usage, second: Usage) -> dict[str, Quantity]:
    """What is left of the first after the second is taken away; below zero nothing is left (as for what is new)."""
    left = {name: amount - second[name] if name in second else amount for name, amount in first.items()}
    return {
        **{name: amount if amount.sign >= 0 else ZERO for name, amount in left.items()},
        **{name: ZERO for name in second if name not in first},
    }


def masked(usage: Usage, names: Collection[str]) -> dict[str, Quantity]:
    """The part of these names."""
    return {name: amount for name, amount in usage.items() if name in names}


def nonzero(usage: Usage) -> dict[str, Quantity]:
    """The part that is not zero."""
    return {name: amount for name, amount in usage.items() if amount}


def exceeding(usage: Usage, limits: Usage) -> list[str]:
    """The names of which there is more than the limit."""
    return [name for name, amount in usage.items() if name in limits and amount > limits[name]]


def printed(usage: Usage) -> str:
    """`cpu=1,memory=2Gi`."""
    return ",".join(f"{name}={usage[name]}" for name in sorted(usage))


def names(resources: Iterable[str]) -> str:
    """`cpu,memory`."""
    return ",".join(sorted(resources))
