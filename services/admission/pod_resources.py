"""What a pod asks for in all: requests and limits of its containers, its start-up and itself added up.

Used by LimitRanger and ResourceQuota; source of the behaviour: component-helpers/resource/helpers.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubehop.machinery import quantity
from kubehop.machinery.objects import Object
from kubehop.machinery.quantity import Quantity

Amounts = Mapping[str, Quantity]


def amounts(resources: Mapping[str, str] | None) -> dict[str, Quantity]:
    """A resource list with its quantities read."""
    return {name: quantity.parse(str(amount)) for name, amount in (resources or {}).items()}


def total(spec: Object, member: str, status: Object | None = None) -> dict[str, Quantity]:
    """The `requests` or `limits` of a pod: its containers, an init container where that is more, what it says itself.

    Init containers that go on running count with the containers, and beside every init container started after them.
    With the status of the pod, a container counts for no less than what it holds at the moment (resize in place).
    """
    held = _held(status, member)
    result: dict[str, Quantity] = {}
    for container in spec.get("containers") or ():
        add(result, _own(container, member, held))
    sidecars: dict[str, Quantity] = {}
    starting: dict[str, Quantity] = {}
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            own = _own(container, member, held)
            add(result, own)
            add(sidecars, own)
            at_start = sidecars
        else:
            at_start = amounts((container.get("resources") or {}).get(member))
            add(at_start, sidecars)
        raise_to(starting, at_start)
    raise_to(result, starting)
    of_the_pod = amounts((spec.get("resources") or {}).get(member))
    supported = {
        name: amount
        for name, amount in of_the_pod.items()
        if name in {"cpu", "memory"} or name.startswith("hugepages-")
    }
    return {**result, **supported}


def total_with_overhead(pod: Object, member: str) -> dict[str, Quantity]:
    """The total of a stored pod with the overhead of its runtime, which adds to those limits alone that there are."""
    spec = pod.get("spec") or {}
    result = total(spec, member, pod.get("status"))
    overhead = amounts(spec.get("overhead"))
    add(result, overhead if member == "requests" else {name: overhead[name] for name in overhead if result.get(name)})
    return result


def add(sums: dict[str, Quantity], more: Amounts) -> None:
    """Add amounts to sums, in place."""
    for name, amount in more.items():
        sums[name] = sums[name] + amount if name in sums else amount


def raise_to(sums: dict[str, Quantity], other: Amounts) -> None:
    """Raise sums to other amounts where those are more, in place."""
    for name, amount in other.items():
        if name not in sums or sums[name] < amount:
            sums[name] = amount


def _own(container: Object, member: str, held: Mapping[str, Amounts]) -> dict[str, Quantity]:
    own = amounts((container.get("resources") or {}).get(member))
    if held:
        raise_to(own, held.get(container.get("name", ""), {}))
    return own


def _held(status: Object | None, member: str) -> dict[str, dict[str, Quantity]]:
    """What the containers of a running pod hold, by name."""
    held: dict[str, dict[str, Quantity]] = {}
    for kind in ("containerStatuses", "initContainerStatuses"):
        for container in (status or {}).get(kind) or ():
            if container.get("resources") is None:
                continue
            own = amounts(container["resources"].get(member))
            if member == "requests":
                raise_to(own, amounts(container.get("allocatedResources")))
            held[container.get("name", "")] = own
    return held
