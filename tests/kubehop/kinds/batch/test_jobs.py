"""Jobs: what is refused, what may change, what a status may say."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.kubehop.kinds.validating import changed, filled, refused, strategy

JOBS = strategy("batch", "jobs")
CRON_JOBS = strategy("batch", "cronjobs")
TEMPLATE = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
TIME, LATER = "2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"managedBy": "me"}, [
            'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
        ]),
        ({"completionMode": "Indexed", "parallelism": 2}, [
            "spec.completions: Required value: when completion mode is Indexed",
        ]),
        ({"backoffLimitPerIndex": 1}, [
            "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode",
        ]),
        ({"completionMode": "Indexed", "completions": 3, "successPolicy": {"rules": [{"succeededIndexes": "2,1"}]}}, [
            ('spec.successPolicy.rules[0].succeededIndexes: Invalid value: "2,1": error parsing succeededIndexes: '
             "non-increasing order, previous: 2, current: 1"),
        ]),
        ({"podReplacementPolicy": "Later"}, [
            'spec.podReplacementPolicy: Unsupported value: "Later": supported values: "Failed", "TerminatingOrFailed"',
        ]),
        ({"podFailurePolicy": {"rules": [{"action": "FailIndex", "onPodConditions": [{"type": "A"}]}]}}, [
            ('spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to '
             "be set"),
        ]),
    ],
)  # fmt: skip
def test_jobs_that_are_refused(spec, expected):
    """Rules of indexed jobs, policies and managers."""
    assert refused(JOBS, {"template": TEMPLATE, **spec}) == expected


def job(**spec: Any) -> Any:
    return filled(JOBS, {"template": TEMPLATE, **spec})


def test_a_job_that_waits_may_be_moved():
    """Where its pods may run can change while a job is suspended and has not started, its image cannot."""
    old = job(suspend=True)
    new = copy.deepcopy(old)
    new["spec"]["template"]["spec"]["nodeSelector"] = {"a": "b"}
    assert changed(JOBS, old, new) == []
    old["status"] = new["status"] = {"startTime": TIME}
    (error,) = changed(JOBS, old, new)
    assert error.startswith("spec.template: Invalid value: ")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"active": 1, "ready": 2}, ["status.ready: Invalid value: 2: cannot set more ready pods than active"]),
        ({"failed": 2}, {"failed": 1}, ["status.failed: Invalid value: 1: cannot decrease the failed counter"]),
        ({}, {"conditions": [{"type": "Complete", "status": "True"}], "startTime": TIME}, [
            "status.completionTime: Required value: completionTime is required for Complete jobs",
            ("status.conditions: Invalid value: cannot set Complete=True condition without the "
             "SuccessCriteriaMet=true condition"),
        ]),
        ({}, {"completionTime": TIME, "startTime": LATER}, [
            (f'status.completionTime: Invalid value: "{TIME}": cannot set completionTime when there is no '
             "Complete=True condition"),
            f'status.completionTime: Invalid value: "{TIME}": completionTime cannot be set before startTime',
        ]),
        ({"conditions": [{"type": "Failed", "status": "True"}]}, {}, [
            "status.conditions: Invalid value: cannot disable the terminal Failed=True condition",
        ]),
        ({}, {"completedIndexes": "0"}, [
            ('status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed '
             "completion mode"),
        ]),
    ],
)  # fmt: skip
def test_statuses_that_are_refused(before, after, expected):
    """A finished job stays finished, and counts fit together."""
    old = job() | {"status": before}
    new = copy.deepcopy(old) | {"status": after}
    assert changed(JOBS, old, new, "status") == expected


def test_a_cron_job_keeps_the_time_zone_that_its_schedule_has():
    """A zone in the schedule is refused when new, and may stay where it was."""
    spec = {"schedule": "TZ=UTC 0 * * * *", "jobTemplate": {"spec": {"template": TEMPLATE}}}
    obj = filled(CRON_JOBS, spec)
    assert [str(error) for error in CRON_JOBS.validate(obj)] == [
        (
            'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone '
            "field instead"
        )
    ]
    assert changed(CRON_JOBS, obj, copy.deepcopy(obj)) == []
    assert any("not officially supported" in text for text in CRON_JOBS.warnings(obj))
