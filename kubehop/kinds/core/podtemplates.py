"""Pod templates: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import pod_defaults, pod_warnings
from kubehop.kinds.core.pod_validation import specs
from kubehop.kinds.defaulting import struct
from kubehop.kinds.printing import NAME, Column, at, containers, name, string_map
from kubehop.kinds.strategy import Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery.fields import Path
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, _now: float) -> list[Any]:
    template = obj.get("template")
    return [name(obj), *containers(template), string_map(at(template, "metadata", "labels"))]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Containers", description="Names of each container in the template."),
        Column("Images", description="Images referenced by each container in the template."),
        Column("Pod Labels", description="The labels for the pod template."),
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Pod templates count the generation of their template."""

    counts_generation = True

    def default(self, obj: Object) -> None:
        """Fill in the template."""
        pod_defaults.template(struct(obj, "template"))

    def check(self, obj: Object) -> Errors:
        """Check the template."""
        return specs.template(Path("template"), obj.get("template"))

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of the template."""
        return pod_warnings.workload(obj, old, Path("template"), named=False)
