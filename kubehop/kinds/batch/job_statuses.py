"""What the status of a job may say, and how it may change: finished jobs stay so, and say how they finished.

Facts: validateJobStatus and ValidateJobStatusUpdate; most rules hold only where what they are about has changed, as
jobStatusStrategy decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubehop.kinds.batch.indexes import IndexesError, count_indexes, first_common
from kubehop.kinds.validation import Errors
from kubehop.kinds.workload_rules import STATUS, not_negative
from kubehop.machinery import fields
from kubehop.machinery.fields import OMITTED, FieldError

Object = dict[str, Any]

_TERMINAL = ("Failed", "Complete", "FailureTarget")


class _Job:
    """A job's status, with its conditions at hand."""

    def __init__(self, obj: Object) -> None:
        self.spec: Object = obj.get("spec") or {}
        self.status: Object = obj.get("status") or {}
        self.true = {one.get("type") for one in self.status.get("conditions") or () if one.get("status") == "True"}
        self.finished = bool(self.true & {"Complete", "Failed"})

    def number(self, name: str) -> int:
        return self.status.get(name) or 0


@dataclass(frozen=True, slots=True)
class _Change:
    new: _Job
    old: _Job

    def of(self, *names: str) -> bool:
        """Tell whether a field of the status has changed."""
        return any(self.new.status.get(name) != self.old.status.get(name) for name in names)

    def to(self, *conditions: str) -> bool:
        """Tell whether a condition has changed."""
        return any((one in self.new.true) != (one in self.old.true) for one in conditions)

    @property
    def finishing(self) -> bool:
        return self.new.finished != self.old.finished


def _conditions(text: str) -> FieldError:
    return fields.invalid(STATUS.child("conditions"), OMITTED, text)


def update(new: Object, old: Object) -> Errors:
    """Check a change of a job's status."""
    change = _Change(_Job(new), _Job(old))
    yield from not_negative(STATUS, change.new.status, "active", "succeeded", "failed", "ready", "terminating")
    yield from _uncounted(change.new.status)
    yield from _completing(change)
    yield from _finishing(change)
    yield from _indexes(change)
    yield from _counts(change)
    yield from _success(change.new)
    yield from _history(change)


def _uncounted(status: Object) -> Errors:
    found = status.get("uncountedTerminatedPods") or {}
    seen: set[str] = set()
    for name in ("succeeded", "failed"):
        for index, uid in enumerate(found.get(name) or ()):
            at = STATUS.child("uncountedTerminatedPods", name).index(index)
            if not uid:
                yield fields.invalid(at, uid, "must not be empty")
            elif uid in seen:
                yield fields.duplicate(at, uid)
            seen.add(uid)


def _completing(change: _Change) -> Errors:
    job, complete = change.new, "Complete" in change.new.true
    started, completed = job.status.get("startTime"), job.status.get("completionTime")
    path = STATUS.child("completionTime")
    if change.to("Complete", "Failed") and complete and "Failed" in job.true:
        yield _conditions("cannot set Complete=True and Failed=true conditions")
    if change.to("Complete", "FailureTarget") and complete and "FailureTarget" in job.true:
        yield _conditions("cannot set Complete=True and FailureTarget=true conditions")
    if change.to("Complete") or change.of("completionTime"):
        if completed is not None and not complete:
            text = "cannot set completionTime when there is no Complete=True condition"
            yield fields.invalid(path, completed, text)
        if completed is None and complete:
            yield fields.required(path, "completionTime is required for Complete jobs")
    if change.of("startTime", "completionTime") and started and completed and completed < started:
        yield fields.invalid(path, completed, "completionTime cannot be set before startTime")
    if (change.to("Failed") or change.of("failedIndexes")) and "Failed" in job.true and "FailureTarget" not in job.true:
        yield _conditions("cannot set Failed=True condition without the FailureTarget=true condition")
    if change.to("Complete", "SuccessCriteriaMet") and complete and "SuccessCriteriaMet" not in job.true:
        yield _conditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition")


def _finishing(change: _Change) -> Errors:
    job = change.new
    if not job.finished:
        return
    nothing_to_do = job.spec.get("suspend") and job.spec.get("completions") == 0
    if (change.finishing or change.of("active")) and job.number("active") > 0:
        yield fields.invalid(STATUS.child("active"), job.number("active"), "active>0 is invalid for finished job")
    if (change.finishing or change.of("startTime")) and not nothing_to_do and job.status.get("startTime") is None:
        yield fields.required(STATUS.child("startTime"), "startTime is required for finished job")
    uncounted = job.status.get("uncountedTerminatedPods") or {}
    if (change.finishing or change.of("uncountedTerminatedPods")) and any(uncounted.values()):
        text = "uncountedTerminatedPods needs to be empty for finished job"
        shown = {"Succeeded": uncounted.get("succeeded"), "Failed": uncounted.get("failed")}
        yield fields.invalid(STATUS.child("uncountedTerminatedPods"), shown, text)


def _indexes(change: _Change) -> Errors:
    job = change.new
    completions, per_index = job.spec.get("completions"), job.spec.get("backoffLimitPerIndex")
    completed, failed = job.status.get("completedIndexes") or "", job.status.get("failedIndexes")
    if change.of("completedIndexes") and completions is not None:
        yield from _readable("completedIndexes", completed, completions)
    if change.of("failedIndexes") and completions is not None and per_index is not None and failed is not None:
        yield from _readable("failedIndexes", failed, completions)
    if change.of("completedIndexes") and completed and job.spec.get("completionMode") != "Indexed":
        text = "cannot set non-empty completedIndexes when non-indexed completion mode"
        yield fields.invalid(STATUS.child("completedIndexes"), completed, text)
    if change.of("failedIndexes") and per_index is None and failed is not None:
        text = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
        yield fields.invalid(STATUS.child("failedIndexes"), failed, text)
    if change.of("completedIndexes", "failedIndexes") and completions is not None and failed is not None:
        index = first_common(completed, failed, completions)
        if index is not None:
            text = f"failedIndexes and completedIndexes overlap at index: {index}"
            yield fields.invalid(STATUS.child("failedIndexes"), failed, text)


def _readable(name: str, text: str, completions: int) -> Errors:
    try:
        count_indexes(text, completions)
    except IndexesError as error:
        yield fields.invalid(STATUS.child(name), text, f"error parsing {name}: {error}")


def _counts(change: _Change) -> Errors:
    job = change.new
    if (change.finishing or change.of("terminating")) and job.finished and job.number("terminating") > 0:
        text = "terminating>0 is invalid for finished job"
        yield fields.invalid(STATUS.child("terminating"), job.number("terminating"), text)
    if change.of("ready", "active") and job.number("ready") > job.number("active"):
        yield fields.invalid(STATUS.child("ready"), job.number("ready"), "cannot set more ready pods than active")


def _success(job: _Job) -> Errors:
    met = "SuccessCriteriaMet" in job.true
    if met and "Failed" in job.true:
        yield _conditions("cannot set SuccessCriteriaMet=True and Failed=true conditions")
    if met and "FailureTarget" in job.true:
        yield _conditions("cannot set SuccessCriteriaMet=True and FailureTarget=true conditions")
    if job.spec.get("successPolicy") is not None and not met and "Complete" in job.true:
        yield _conditions("cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True")


def _history(change: _Change) -> Errors:
    new, old = change.new, change.old
    for condition in _TERMINAL:
        if condition in old.true and condition not in new.true:
            yield _conditions(f"cannot disable the terminal {condition}=True condition")
    if new.number("failed") < old.number("failed"):
        yield fields.invalid(STATUS.child("failed"), new.number("failed"), "cannot decrease the failed counter")
    # a job that is scaled down by both numbers at once may forget successes
    elastic = new.spec.get("completionMode") == "Indexed" and new.spec.get("completions") == new.spec.get("parallelism")
    if not elastic and new.number("succeeded") < old.number("succeeded"):
        text = "cannot decrease the succeeded counter"
        yield fields.invalid(STATUS.child("succeeded"), new.number("succeeded"), text)
    completed, before = new.status.get("completionTime"), old.status.get("completionTime")
    if completed is not None and before is not None and completed != before:
        yield fields.invalid(STATUS.child("completionTime"), completed, "completionTime cannot be mutated")
    if change.of("startTime") and old.status.get("startTime") is not None and not new.spec.get("suspend"):
        yield fields.required(STATUS.child("startTime"), "startTime cannot be removed for unsuspended job")
    if "SuccessCriteriaMet" in old.true and "SuccessCriteriaMet" not in new.true:
        yield _conditions("cannot disable the SuccessCriteriaMet=True condition")
    if "Complete" in old.true and "SuccessCriteriaMet" in new.true - old.true:
        yield _conditions("cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions")
