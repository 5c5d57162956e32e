"""Cron jobs: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import (
    AGE,
    NAME,
    NONE,
    UNSET,
    WIDE_CONTAINERS,
    age,
    at,
    containers,
    count,
    documented,
    name,
    selector_text,
    since,
)
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    spec, job = obj.get("spec") or {}, at(obj, "spec", "jobTemplate", "spec")
    suspend, last = spec.get("suspend"), at(obj, "status", "lastScheduleTime")
    return [
        name(obj),
        spec.get("schedule") or "",
        NONE if spec.get("timeZone") is None else spec["timeZone"],
        UNSET if suspend is None else str(bool(suspend)),
        count(obj, "status", "active"),
        since(last, now) if last else NONE,
        age(obj, now),
        *containers(at(job, "template")),
        selector_text(at(job, "selector")),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        documented("Schedule", "batch.v1.CronJobSpec.schedule"),
        documented("Timezone", "batch.v1.CronJobSpec.timeZone"),
        documented("Suspend", "batch.v1.CronJobSpec.suspend", type="boolean"),
        documented("Active", "batch.v1.CronJobStatus.active", type="integer"),
        documented("Last Schedule", "batch.v1.CronJobStatus.lastScheduleTime"),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "batch.v1.JobSpec.selector", priority=1),
    ),
    cells=_cells,
)
