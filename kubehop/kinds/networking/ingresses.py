"""Ingresses: how they are printed, and what counts as a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubehop.kinds.networking import ingress_rules
from kubehop.kinds.printing import AGE, NAME, NONE, Column, age, load_balancer, name
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]

_MAX_HOSTS = 3


def _hosts(rules: Sequence[Object]) -> str:
    hosts: list[str] = []
    more = False
    for rule in rules:
        # as kube-apiserver counts: a fourth rule means more, whether or not it has a host
        more = more or len(hosts) == _MAX_HOSTS
        if not more and rule.get("host"):
            hosts.append(rule["host"])
    text = ",".join(hosts) or "*"
    return f"{text} + {len(rules) - _MAX_HOSTS} more..." if more else text


def _cells(obj: Object, now: float) -> list[Any]:
    spec = obj.get("spec") or {}
    class_name = spec.get("ingressClassName")
    return [
        name(obj),
        NONE if class_name is None else class_name,
        _hosts(spec.get("rules") or ()),
        load_balancer(obj.get("status")),
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        Column(
            "Class",
            description="The name of the IngressClass resource that should be used for additional configuration",
        ),
        Column("Hosts", description="Hosts that incoming requests are matched against before the ingress rule"),
        Column("Address", description="Address is a list containing ingress points for the load-balancer"),
        Column("Ports", description="Ports of TLS configurations that open"),
        AGE,
    ),
    cells=_cells,
)


_OLD_CLASS = (
    f"annotation \"{ingress_rules.CLASS_ANNOTATION}\" is deprecated, please use 'spec.ingressClassName' instead"
)


class STRATEGY(Strategy):
    """Ingresses count the generation of their spec."""

    counts_generation = True
    update_steps = (Step.METADATA_UPDATE, Step.METADATA, Step.CHANGES)

    def check_create(self, obj: Object) -> Errors:
        """Check the rules, and that the class is named once."""
        yield from ingress_rules.ingress(obj)
        yield from ingress_rules.annotation(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Check the rules."""
        yield from ingress_rules.ingress(new, old)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check what the balancer says."""
        if subresource == "status":
            yield from ingress_rules.status(new, old)

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of the old way to name the class; only who creates is told."""
        if old is not None or ingress_rules.CLASS_ANNOTATION not in (obj["metadata"].get("annotations") or {}):
            return []
        return [_OLD_CLASS]
