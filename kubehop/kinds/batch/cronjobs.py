"""Cron jobs: how they are printed, and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.batch import validation
from kubehop.kinds.core import pod_defaults, pod_warnings
from kubehop.kinds.defaulting import fill, items, struct
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
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.machinery import fields
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


# job names are the cron job's and eleven characters more
_MAX_NAME = 52
_TEMPLATE = fields.Path("spec", "jobTemplate", "spec", "template")
_ZONE_IN_SCHEDULE = (
    "CRON_TZ or TZ used in spec.schedule is not officially supported, see "
    "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
)


class STRATEGY(Strategy):
    """Cron jobs name their jobs."""

    counts_generation = True
    update_steps = (Step.METADATA_UPDATE, Step.CHANGES)

    def default(self, obj: Object) -> None:
        """Fill in how runs may overlap and how many are remembered."""
        spec = struct(obj, "spec")
        fill(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
        job = struct(spec, "jobTemplate", "spec")
        for rule in items(job.get("podFailurePolicy"), "rules"):
            for condition in items(rule, "onPodConditions"):
                fill(condition, status="True")
        pod_defaults.template(struct(job, "template"))

    def check_create(self, obj: Object) -> Errors:
        """Check the cron job, and leave room in its name for what the jobs' names add."""
        yield from validation.cron_job(obj)
        name = obj["metadata"].get("name") or ""
        if len(name) > _MAX_NAME:
            text = f"must be no more than {_MAX_NAME} characters"
            yield fields.invalid(fields.Path("metadata", "name"), name, text)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Check the cron job; a schedule with a time zone and an unknown time zone may stay."""
        return validation.cron_job(new, old)

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of the name, of the template, and of a time zone in the schedule."""
        told = pod_warnings.workload(obj, old, _TEMPLATE)
        if "TZ" in (at(obj, "spec", "schedule") or ""):
            told.append(_ZONE_IN_SCHEDULE)
        return told
