"""Events: how they are printed. Events of events.k8s.io are the same objects in another form."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.core import event_rules
from kubehop.kinds.printing import NAME_WIDE, at, documented, name, since
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import names
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _source(obj: Object) -> str:
    component = at(obj, "source", "component") or obj.get("reportingComponent") or ""
    instance = at(obj, "source", "host") or obj.get("reportingInstance") or ""
    return f"{component}, {instance}" if instance else component


def _cells(obj: Object, now: float) -> list[Any]:
    first = since(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = since(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else first
    number = obj.get("count") or 1  # events of the new form are not counted
    series = obj.get("series")
    if series is not None:
        last, number = since(series.get("lastObservedTime"), now), series.get("count") or 0
    involved = obj.get("involvedObject") or {}
    kind = (involved.get("kind") or "").lower()
    return [
        last,
        obj.get("type") or "",
        obj.get("reason") or "",
        f"{kind}/{involved['name']}" if involved.get("name") else kind,
        involved.get("fieldPath") or "",
        _source(obj),
        (obj.get("message") or "").strip(),
        first,
        number,
        name(obj),
    ]


PRINTER = Printer(
    columns=(
        documented("Last Seen", "core.v1.Event.lastTimestamp"),
        documented("Type", "core.v1.Event.type"),
        documented("Reason", "core.v1.Event.reason"),
        documented("Object", "core.v1.Event.involvedObject"),
        documented("Subobject", "core.v1.ObjectReference.fieldPath", priority=1),
        documented("Source", "core.v1.Event.source", priority=1),
        documented("Message", "core.v1.Event.message"),
        documented("First Seen", "core.v1.Event.firstTimestamp", priority=1),
        documented("Count", "core.v1.Event.count", priority=1),
        NAME_WIDE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """Events may be created by an update."""

    creates_on_update = True
    update_steps = (Step.CHECK, Step.CHANGES)

    @property
    def _core(self) -> bool:
        return not self.resource.group

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Take what fits a URL; events.k8s.io wants a DNS subdomain as well."""
        return names.name_is_path_segment(name, prefix)

    def check(self, obj: Object) -> Errors:
        """Check the event."""
        yield from event_rules.event(obj, core=self._core)

    def check_create(self, obj: Object) -> Errors:
        """Check a new event of the new form."""
        if not self._core:
            yield from event_rules.new_form(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep an event of the new form, but for its series."""
        if not self._core:
            yield from event_rules.changes(new, old)
