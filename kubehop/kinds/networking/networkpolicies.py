"""Network policies: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill, items, struct
from kubehop.kinds.networking import policy_rules
from kubehop.kinds.printing import AGE, NAME, age, at, documented, name, selector_text
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), selector_text(at(obj, "spec", "podSelector")), age(obj, now)]


PRINTER = Printer(
    columns=(NAME, documented("Pod-Selector", "networking.v1.NetworkPolicySpec.podSelector"), AGE), cells=_cells
)


class STRATEGY(Strategy):
    """Network policies count the generation of their spec."""

    counts_generation = True

    def default(self, obj: Object) -> None:
        """Fill in which traffic a policy is about, and the protocol of ports."""
        spec = struct(obj, "spec")
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        for direction in ("ingress", "egress"):
            for rule in items(spec, direction):
                for port in items(rule, "ports"):
                    fill(port, protocol="TCP")

    def check_create(self, obj: Object) -> Errors:
        """Check peers, ports and types."""
        yield from policy_rules.network_policy(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Check peers, ports and types."""
        yield from policy_rules.network_policy(new, old)
