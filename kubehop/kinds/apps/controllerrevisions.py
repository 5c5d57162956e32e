"""Controller revisions: how they are printed, and what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.apps import validation
from kubehop.kinds.printing import AGE, NAME, NONE, Column, age, at, documented, name
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors, immutable
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _controller(obj: Object) -> str:
    for owner in at(obj, "metadata", "ownerReferences") or ():
        if owner.get("controller"):
            group = owner.get("apiVersion", "").rpartition("/")[0]
            kind = f"{owner.get('kind', '')}.{group}" if group else owner.get("kind", "")
            return f"{kind.lower()}/{owner.get('name', '')}"
    return NONE


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), _controller(obj), obj.get("revision") or 0, age(obj, now)]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Controller", description="Controller of the object"),
        documented("Revision", "apps.v1.ControllerRevision.revision"),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Revisions keep their data."""

    update_steps = (Step.METADATA_UPDATE, Step.METADATA, Step.CHECK, Step.CHANGES)

    def check(self, obj: Object) -> Errors:
        """Check the revision."""
        return validation.revision(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the data."""
        yield from immutable(new, old, "data")
