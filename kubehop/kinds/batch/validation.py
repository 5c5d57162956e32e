"""What may be written to jobs and cron jobs. Facts: pkg/apis/batch/validation/validation.go."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.batch import schedules
from kubehop.kinds.batch.indexes import IndexesError, count_indexes
from kubehop.kinds.core.pod_validation import specs
from kubehop.kinds.validation import Errors, selects
from kubehop.kinds.validation_values import exactly_what, label_selector, qualified, unchanged
from kubehop.kinds.workload_rules import SPEC, not_negative, readable, selected
from kubehop.machinery import fields, gotext, names
from kubehop.machinery.fields import OMITTED, Path

Object = dict[str, Any]

_RESTARTS = ("OnFailure", "Never")
_MODES = ("NonIndexed", "Indexed")
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATES = ("False", "True", "Unknown")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")
_CONCURRENCY = ("Allow", "Forbid", "Replace")
_MAX_RULES = 20
_MAX_EXIT_CODES = 255
_MAX_MANAGED_BY = 63
_MAX_INDEXES_TEXT = 64 * 1024
# limits of indexed jobs
_MANY = 100_000
_MANY_AT_ONCE = 10_000
_UNTRACKED = (
    "spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
    "a Kubernetes cluster might not be able to track completedIndexes correctly"
)
_PREFIX = "batch.kubernetes.io/"


def job(obj: Object) -> Errors:
    """Check a job (ValidateJob)."""
    spec, meta = obj.get("spec") or {}, obj.get("metadata") or {}
    yield from _generated_selector(spec, meta)
    yield from job_spec(obj)
    completions = spec.get("completions") or 0
    if spec.get("completionMode") == "Indexed" and completions > 0:
        # pods of indexed jobs are named after job and index
        name = f"{meta.get('name') or ''}-{completions - 1}"
        if names.dns1123_label(name):
            text = f"will not able to create pod with invalid DNS label: {name}"
            yield fields.invalid(Path("metadata", "name"), meta.get("name") or "", text)


def _generated_selector(spec: Object, meta: Object) -> Errors:
    """Want selector and labels that were made for this job, unless it selects by hand."""
    selector = spec.get("selector")
    if spec.get("manualSelector") or selector is None:
        return
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    path = SPEC.child("template", "metadata", "labels")
    wanted = {
        f"{prefix}{key}": meta.get(value) or ""
        for prefix in ("", _PREFIX)
        for key, value in (("controller-uid", "uid"), ("job-name", "name"))
    }
    for key, value in wanted.items():
        if key not in labels:
            yield fields.required(path.key(key), f"must be '{value}'")
        elif labels[key] != value:
            yield fields.invalid(path.key(key), labels, f"must be '{value}'")
    if readable(selector) and not selects(selector, wanted):
        yield fields.invalid(SPEC.child("selector"), selector, "`selector` not auto-generated")


def job_spec(obj: Object) -> Errors:
    """Check the spec of a job (ValidateJobSpec)."""
    spec = obj.get("spec") or {}
    yield from _spec(SPEC, spec)
    selector = spec.get("selector")
    if selector is None:
        yield fields.required(SPEC.child("selector"))
    else:
        yield from label_selector(SPEC.child("selector"), selector)
    if readable(selector):
        yield from selected(spec)


def _spec(path: Path, spec: Object) -> Errors:
    """Check what jobs and the templates of cron jobs have in common (validateJobSpec)."""
    yield from not_negative(
        path,
        spec,
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    )
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield fields.required(path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified")
    if spec.get("managedBy") is not None:
        yield from names.domain_prefixed_path(path.child("managedBy"), spec["managedBy"])
        if names.byte_length(spec["managedBy"]) > _MAX_MANAGED_BY:
            yield fields.too_long(path.child("managedBy"), _MAX_MANAGED_BY)
    mode = spec.get("completionMode")
    if mode is not None and mode not in _MODES:
        yield fields.not_supported(path.child("completionMode"), mode, _MODES)
    if mode == "Indexed":
        yield from _indexed(path, spec)
    if mode is None or mode == "NonIndexed":
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                yield fields.invalid(path.child(name), spec[name], "requires indexed completion mode")
    if spec.get("podFailurePolicy") is not None:
        yield from _failure_policy(path.child("podFailurePolicy"), spec)
    success = spec.get("successPolicy")
    if success is not None and mode != "Indexed":
        rules = [exactly_what(rule, ("succeededIndexes", "succeededCount")) for rule in success.get("rules") or ()]
        yield fields.invalid(path.child("successPolicy"), {"Rules": rules or None}, "requires indexed completion mode")
    elif success is not None:
        yield from _success_policy(path.child("successPolicy"), spec)
    yield from _replacement(path.child("podReplacementPolicy"), spec)
    yield from specs.template(path.child("template"), spec.get("template"))
    yield from _restarts(path.child("template", "spec", "restartPolicy"), spec)


def _indexed(path: Path, spec: Object) -> Errors:
    completions, parallelism = spec.get("completions"), spec.get("parallelism")
    failing = spec.get("maxFailedIndexes")
    if completions is None:
        yield fields.required(path.child("completions"), "when completion mode is Indexed")
    if parallelism is not None and parallelism > _MANY:
        text = f"must be less than or equal to {_MANY} when completion mode is Indexed"
        yield fields.invalid(path.child("parallelism"), parallelism, text)
    if completions is not None and failing is not None and failing > completions:
        yield fields.invalid(path.child("maxFailedIndexes"), failing, "must be less than or equal to completions")
    if failing is not None and failing > _MANY:
        yield fields.invalid(path.child("maxFailedIndexes"), failing, f"must be less than or equal to {_MANY}")
    if completions is None or completions <= _MANY or spec.get("backoffLimitPerIndex") is None:
        return
    if failing is None:
        text = f"must be specified when completions is above {_MANY}"
        yield fields.required(path.child("maxFailedIndexes"), text)
    for name in ("parallelism", "maxFailedIndexes"):
        value = spec.get(name)
        if value is not None and value > _MANY_AT_ONCE:
            text = (
                f"must be less than or equal to {_MANY_AT_ONCE} when completions are above {_MANY} "
                "and used with backoff limit per index"
            )
            yield fields.invalid(path.child(name), value, text)


def _quoted(values: tuple[str, ...]) -> str:
    """Return values as Go prints a list of quoted ones."""
    return f"valid values: [{' '.join(map(gotext.quote, values))}]"


def _choice(path: Path, value: str, supported: tuple[str, ...]) -> Errors:
    if not value:
        yield fields.required(path, _quoted(supported))
    elif value not in supported:
        yield fields.not_supported(path, value, supported)


def _failure_policy(path: Path, spec: Object) -> Errors:
    rules = spec["podFailurePolicy"].get("rules") or ()
    if len(rules) > _MAX_RULES:
        yield fields.too_many(path.child("rules"), len(rules), _MAX_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    known = {one.get("name") for field in ("containers", "initContainers") for one in pod.get(field) or ()}
    for index, rule in enumerate(rules):
        at, action = path.child("rules").index(index), rule.get("action") or ""
        if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            yield fields.invalid(at.child("action"), action, "requires the backoffLimitPerIndex to be set")
        yield from _choice(at.child("action"), action, _ACTIONS)
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or ()
        if codes is not None:
            yield from _exit_codes(at.child("onExitCodes"), codes, known)
        if conditions:
            yield from _pod_conditions(at.child("onPodConditions"), conditions)
        if codes is not None and conditions:
            text = "specifying both OnExitCodes and OnPodConditions is not supported"
            yield fields.invalid(at, OMITTED, text)
        if codes is None and not conditions:
            yield fields.invalid(at, OMITTED, "specifying one of OnExitCodes and OnPodConditions is required")


def _exit_codes(path: Path, codes: Object, known: set[Any]) -> Errors:
    operator, values = codes.get("operator") or "", codes.get("values") or []
    yield from _choice(path.child("operator"), operator, _OPERATORS)
    name = codes.get("containerName")
    if name is not None and name not in known:
        text = "must be one of the container or initContainer names in the pod template"
        yield fields.invalid(path.child("containerName"), name, text)
    at = path.child("values")
    if not values:
        yield fields.invalid(at, values, "at least one value is required")
    elif len(values) > _MAX_EXIT_CODES:
        yield fields.too_many(at, len(values), _MAX_EXIT_CODES)
    seen: set[int] = set()
    for index, value in enumerate(values):
        if operator == "In" and value == 0:
            yield fields.invalid(at.index(index), value, "must not be 0 for the In operator")
        if value in seen:
            yield fields.duplicate(at.index(index), value)
        seen.add(value)
    if values != sorted(values):
        yield fields.invalid(at, values, "must be ordered")


def _pod_conditions(path: Path, conditions: list[Object]) -> Errors:
    if len(conditions) > _MAX_RULES:
        yield fields.too_many(path, len(conditions), _MAX_RULES)
    for index, pattern in enumerate(conditions):
        yield from qualified(path.index(index).child("type"), pattern.get("type") or "")
        yield from _choice(path.index(index).child("status"), pattern.get("status") or "", _STATES)


def _success_policy(path: Path, spec: Object) -> Errors:
    rules, completions = spec["successPolicy"].get("rules") or (), spec.get("completions") or 0
    if not rules:
        text = "at least one rules must be specified when the successPolicy is specified"
        yield fields.required(path.child("rules"), text)
    if len(rules) > _MAX_RULES:
        yield fields.too_many(path.child("rules"), len(rules), _MAX_RULES)
    for index, rule in enumerate(rules):
        yield from _success_rule(path.child("rules").index(index), rule, completions)


def _success_rule(path: Path, rule: Object, completions: int) -> Errors:
    count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and indexes is None:
        yield fields.required(path, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if indexes is not None:
        at = path.child("succeededIndexes")
        if names.byte_length(indexes) > _MAX_INDEXES_TEXT:
            yield fields.too_long(at, _MAX_INDEXES_TEXT)
        try:
            total = count_indexes(indexes, completions)
        except IndexesError as error:
            yield fields.invalid(at, indexes, f"error parsing succeededIndexes: {error}")
    if count is None:
        return
    at = path.child("succeededCount")
    yield from not_negative(path, rule, "succeededCount")
    if count > completions:
        text = f"must be less than or equal to {completions} (the number of specified completions)"
        yield fields.invalid(at, count, text)
    if indexes is not None and count > total:
        text = f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        yield fields.invalid(at, count, text)


def _replacement(path: Path, spec: Object) -> Errors:
    value = spec.get("podReplacementPolicy")
    supported = _REPLACEMENTS if spec.get("podFailurePolicy") is None else _REPLACEMENTS[:1]
    if value is not None and value not in supported:
        yield fields.not_supported(path, value, supported)


def _restarts(path: Path, spec: Object) -> Errors:
    value = ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy") or ""
    if value in ("", "Always"):
        yield fields.required(path, 'valid values: "OnFailure", "Never"')
    elif value not in _RESTARTS:
        yield fields.not_supported(path, value, _RESTARTS)
    elif spec.get("podFailurePolicy") is not None and value != "Never":
        yield fields.invalid(path, value, 'only "Never" is supported when podFailurePolicy is specified')


def job_update(new: Object, old: Object) -> Errors:
    """Check what of a job may change (ValidateJobSpecUpdate)."""
    after, before = new.get("spec") or {}, old.get("spec") or {}
    yield from job_spec(new)
    yield from _completions(after, before)
    yield from unchanged(SPEC.child("selector"), after.get("selector"), before.get("selector"))
    yield from unchanged(SPEC.child("template"), after.get("template"), _comparable_template(after, old))
    for name in ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
        yield from unchanged(SPEC.child(name), after.get(name), before.get(name))


def _completions(after: Object, before: Object) -> Errors:
    path, value = SPEC.child("completions"), after.get("completions")
    if after.get("completionMode") != "Indexed":
        yield from unchanged(path, value, before.get("completions"))
    elif value not in (None, before.get("completions"), after.get("parallelism")):
        yield fields.invalid(path, value, "can only be modified in tandem with spec.parallelism")


def _comparable_template(after: Object, old: Object) -> Any:
    """Return the old template with what may change while a job waits as it is in the new one."""
    before, status = old.get("spec") or {}, old.get("status") or {}
    waiting = status.get("startTime") is None or any(
        one.get("type") == "Suspended" and one.get("status") == "True" for one in status.get("conditions") or ()
    )
    template, former = after.get("template"), before.get("template")
    if template is None or former is None or not before.get("suspend") or not waiting:
        return former
    meta = {**(former.get("metadata") or {})}
    for key in ("annotations", "labels"):
        _take(meta, template.get("metadata") or {}, key)
    spec, wanted = dict(former.get("spec") or {}), template.get("spec") or {}
    for key in ("nodeSelector", "tolerations", "schedulingGates"):
        _take(spec, wanted, key)
    affinity = dict(spec.get("affinity") or {})
    _take(affinity, wanted.get("affinity") or {}, "nodeAffinity")
    if affinity or "affinity" in wanted:
        spec["affinity"] = affinity
    else:
        spec.pop("affinity", None)
    for field in ("containers", "initContainers"):
        if field in spec:
            spec[field] = _with_resources(spec[field] or [], wanted.get(field) or [])
    merged = {**former, "spec": spec}
    if meta or "metadata" in template:
        merged["metadata"] = meta
    return merged


def _with_resources(old: list[Object], new: list[Object]) -> list[Object]:
    if [one.get("name") for one in old] != [one.get("name") for one in new]:
        return old
    made = []
    for container, wanted in zip(old, new, strict=True):
        copy = dict(container)
        _take(copy, wanted, "resources")
        made.append(copy)
    return made


def _take(target: Object, source: Object, key: str) -> None:
    if key in source:
        target[key] = source[key]
    else:
        target.pop(key, None)


def cron_job(obj: Object, old: Object | None = None) -> Errors:
    """Check a cron job, new or changed from an old one (validateCronJobSpec)."""
    spec, before = obj.get("spec") or {}, (old or {}).get("spec") or {}
    schedule, zone = spec.get("schedule") or "", spec.get("timeZone")
    if not schedule:
        yield fields.required(SPEC.child("schedule"))
    else:
        yield from _schedule(schedule, zone, kept="TZ" in (before.get("schedule") or ""))
    yield from not_negative(SPEC, spec, "startingDeadlineSeconds")
    if zone is not None and (old is None or zone != before.get("timeZone")):
        for message in schedules.time_zone(zone):
            yield fields.invalid(SPEC.child("timeZone"), zone, message)
    concurrency = spec.get("concurrencyPolicy") or ""
    if not concurrency:
        yield fields.required(SPEC.child("concurrencyPolicy"))
    elif concurrency not in _CONCURRENCY:
        yield fields.not_supported(SPEC.child("concurrencyPolicy"), concurrency, _CONCURRENCY)
    yield from _job_template(SPEC.child("jobTemplate"), spec.get("jobTemplate") or {})
    yield from not_negative(SPEC, spec, "successfulJobsHistoryLimit", "failedJobsHistoryLimit")


def _schedule(text: str, zone: str | None, *, kept: bool) -> Errors:
    path = SPEC.child("schedule")
    try:
        schedules.check(text)
    except schedules.ScheduleError as error:
        yield fields.invalid(path, text, str(error))
    if "TZ" not in text:
        return
    if not kept:
        yield fields.invalid(path, text, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
    elif zone is not None:
        yield fields.invalid(path, text, "cannot use both timeZone field and TZ or CRON_TZ in schedule")


def _job_template(path: Path, template: Object) -> Errors:
    spec = template.get("spec") or {}
    yield from _spec(path.child("spec"), spec)
    if spec.get("selector") is not None:
        yield fields.invalid(path.child("spec", "selector"), spec["selector"], "`selector` will be auto-generated")
    if spec.get("manualSelector"):
        yield fields.not_supported(path.child("spec", "manualSelector"), True, ("nil", "false"))


def job_warnings(obj: Object) -> list[str]:
    """Return what a client should know of a job with very many indexes (WarningsForJobSpec)."""
    spec = obj.get("spec") or {}
    if spec.get("completionMode") != "Indexed":
        return []
    if (spec.get("completions") or 0) <= _MANY or (spec.get("parallelism") or 0) <= _MANY_AT_ONCE:
        return []
    return [_UNTRACKED]
