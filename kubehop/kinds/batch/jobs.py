"""Jobs: how they are printed, their defaults, the selector they get, what may change."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.batch import job_statuses, validation
from kubehop.kinds.core import pod_defaults, pod_warnings
from kubehop.kinds.defaulting import fill, items, struct
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
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
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


_MAX_INT32 = (1 << 31) - 1


def default_spec(spec: Object) -> None:
    """Fill in a job's spec. Changes it."""
    if spec.get("completions") is None and spec.get("parallelism") is None:
        fill(spec, completions=1, parallelism=1)
    fill(spec, parallelism=1)
    fill(spec, backoffLimit=6 if spec.get("backoffLimitPerIndex") is None else _MAX_INT32)
    fill(spec, completionMode="NonIndexed", suspend=False)
    policy = spec.get("podFailurePolicy")
    fill(spec, podReplacementPolicy="TerminatingOrFailed" if policy is None else "Failed")
    for rule in items(policy, "rules"):
        for condition in items(rule, "onPodConditions"):
            fill(condition, status="True")


class STRATEGY(Strategy):
    """Jobs select their pods by a label of their own, unless they are told to select by hand."""

    counts_generation = True
    update_steps = (Step.METADATA, Step.CHECK, Step.METADATA_UPDATE, Step.CHANGES)

    def default(self, obj: Object) -> None:
        """Fill in one completion, retried six times."""
        meta, spec = struct(obj, "metadata"), struct(obj, "spec")
        template = struct(spec, "template")
        labels = at(template, "metadata", "labels")
        if labels and not meta.get("labels"):
            meta["labels"] = dict(labels)
        default_spec(spec)
        fill(spec, manualSelector=False)
        pod_defaults.template(template)

    def on_create(self, obj: Object) -> None:
        """Make the selector: the job's uid, which the pods carry as a label (registry/batch/job/strategy.go)."""
        spec, meta = struct(obj, "spec"), struct(obj, "metadata")
        if spec.get("manualSelector"):
            return
        labels = struct(spec, "template", "metadata", "labels")
        for prefix in ("batch.kubernetes.io/", ""):
            labels.setdefault(f"{prefix}controller-uid", meta.get("uid", ""))
            labels.setdefault(f"{prefix}job-name", meta.get("name", ""))
        selected = struct(spec, "selector", "matchLabels")
        selected.setdefault("batch.kubernetes.io/controller-uid", meta.get("uid", ""))
        if not meta.get("labels"):
            meta["labels"] = dict(labels)

    def check(self, obj: Object) -> Errors:
        """Check the job."""
        return validation.job(obj)

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep what its pods were made from."""
        return validation.job_update(new, old)

    def warnings(self, obj: Object, old: Object | None = None) -> list[str]:
        """Tell of the name and of the template."""
        return [*validation.job_warnings(obj), *pod_warnings.workload(obj, old)]

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the status."""
        return job_statuses.update(new, old) if subresource == "status" else iter(())
