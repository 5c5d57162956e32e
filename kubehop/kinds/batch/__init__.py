"""The batch group: jobs and cron jobs."""

from __future__ import annotations

from functools import partial

from kubehop.kinds.resource import Resource, selectable, served, status

_served = partial(served, "batch", "v1", home="batch", namespaced=True, categories=("all",))

RESOURCES: tuple[Resource, ...] = (
    _served("cronjobs", "CronJob", short_names=("cj",), subresources=(status("CronJob"),)),
    _served(
        "jobs",
        "Job",
        subresources=(status("Job"),),
        fields=(selectable("status.successful", "status.succeeded", default="0"),),
        field_label_error="field label %q not supported for Job",
    ),
)
