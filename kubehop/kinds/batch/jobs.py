"""Jobs: how they are printed."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import (
    AGE,
    NAME,
    WIDE_CONTAINERS,
    Column,
    age,
    at,
    containers,
    count,
    documented,
    human_duration,
    name,
    seconds,
    selector_text,
    true_condition,
)
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _completions(obj: Object) -> str:
    succeeded, wanted = count(obj, "status", "succeeded"), at(obj, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = count(obj, "spec", "parallelism")
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(obj: Object, now: float) -> str:
    started, completed = at(obj, "status", "startTime"), at(obj, "status", "completionTime")
    if not started:
        return ""
    return human_duration((seconds(completed) if completed else now) - seconds(started))


def _status(obj: Object) -> str:
    if true_condition(obj, "Complete"):
        return "Complete"
    if true_condition(obj, "Failed"):
        return "Failed"
    if at(obj, "metadata", "deletionTimestamp"):
        return "Terminating"
    for condition in ("Suspended", "FailureTarget"):
        if true_condition(obj, condition):
            return condition
    return "Running"


def _cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        _status(obj),
        _completions(obj),
        _duration(obj, now),
        age(obj, now),
        *containers(at(obj, "spec", "template")),
        selector_text(at(obj, "spec", "selector")),
    ]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Status", description="Status of the job."),
        documented("Completions", "batch.v1.JobStatus.succeeded"),
        Column("Duration", description="Time required to complete the job."),
        AGE,
        *WIDE_CONTAINERS,
        documented("Selector", "batch.v1.JobSpec.selector", priority=1),
    ),
    cells=_cells,
)
