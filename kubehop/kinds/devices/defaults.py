"""Defaults of resource claims, their templates, and device classes (pkg/apis/resource/v1/defaults.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubehop.kinds.defaulting import fill, fill_zero, items, part

Object = dict[str, Any]


def claim_spec(spec: Object | None) -> None:
    """Fill in a claim's spec: one device where nobody says how many. Changes it."""
    for request in items(spec, "devices", "requests"):
        for wanted in _alternatives(request):
            fill(wanted, allocationMode="ExactCount")
            if wanted["allocationMode"] == "ExactCount":
                fill_zero(wanted, count=1)
            for toleration in items(wanted, "tolerations"):
                fill(toleration, operator="Equal")


def _alternatives(request: Object) -> Iterator[Object]:
    exactly = part(request, "exactly")
    if exactly is not None:
        yield exactly
    yield from items(request, "firstAvailable")
