"""The options of each verb: read from the query (or from a body, for deletes), checked, as frozen values.

Verbs call one `read_*` each. Parameters that nobody knows are ignored, malformed ones are 400, forbidden combinations
422, in the words of apimachinery pkg/apis/meta/v1/validation and internalversion/validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.query import Query
from kubehop.machinery import fields, metadata, status
from kubehop.machinery.fields import FieldError, Path
from kubehop.machinery.gotext import parse_int64
from kubehop.machinery.objects import META_GROUP, Object
from kubehop.machinery.request_info import parse_bool
from kubehop.machinery.selectors import fields as field_selectors
from kubehop.machinery.selectors import labels as label_selectors

_NOT_OLDER_THAN = "NotOlderThan"


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Options of create, update and patch."""

    kind: str
    """CreateOptions, UpdateOptions or PatchOptions."""
    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = ""
    force: bool | None = None
    """Of apply patches: take over the fields of others."""

    @property
    def validation(self) -> str:
        """What to do with unknown and duplicate fields: Ignore, Warn (the default) or Strict."""
        return self.field_validation or "Warn"

    def to_object(self, kind: str = "") -> Object:
        """Return the options as admission sees them, of another kind where one is given."""
        obj: Object = {"kind": kind or self.kind, "apiVersion": f"{META_GROUP}/v1"}
        if self.dry_run:
            obj["dryRun"] = ["All"]
        if self.force is not None and not kind:
            obj["force"] = self.force
        if self.field_manager:
            obj["fieldManager"] = self.field_manager
        if self.field_validation:
            obj["fieldValidation"] = self.field_validation
        return obj


def read_write_options(query: Query, kind: str, *, apply: bool = False) -> WriteOptions:
    """Return the options of a create, update or patch."""
    if not query:
        options = WriteOptions(kind)
        if not apply:
            return options
    dry_run = query.all("dryRun")
    force = parse_bool(query.get("force")) if kind == "PatchOptions" and "force" in query else None
    options = WriteOptions(kind, bool(dry_run), query.get("fieldManager", ""), query.get("fieldValidation", ""), force)
    metadata.validate_options(
        kind,
        field_manager=options.field_manager,
        dry_run=dry_run,
        field_validation=options.field_validation,
        force=force,
        apply=apply,
    )
    return options


def _refuse(kind: str, errors: Sequence[FieldError]) -> None:
    if errors:
        raise status.invalid(META_GROUP, kind, "", errors)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of list, watch and deletecollection."""

    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    limit: int = 0
    continue_token: str = ""
    watch: bool = False
    allow_bookmarks: bool = False
    send_initial_events: bool | None = None
    timeout_seconds: int | None = None


def read_list_options(query: Query, *, watch: bool) -> ListOptions:
    """Return the options of a list or watch, with the default that gives a watch without version initial events."""
    if not query and not watch:
        return ListOptions()
    try:
        timeout = query.get("timeoutSeconds") or None
        options = ListOptions(
            label_selector=str(label_selectors.parse(query.get("labelSelector", ""))),
            field_selector=str(field_selectors.parse(query.get("fieldSelector", ""))),
            resource_version=query.get("resourceVersion", ""),
            resource_version_match=query.get("resourceVersionMatch", ""),
            limit=parse_int64(query.get("limit") or "0"),
            continue_token=query.get("continue", ""),
            watch=watch,
            allow_bookmarks=parse_bool(query.get("allowWatchBookmarks")),
            send_initial_events=parse_bool(query["sendInitialEvents"]) if "sendInitialEvents" in query else None,
            timeout_seconds=None if timeout is None else parse_int64(timeout),
        )
    except ValueError as error:
        raise status.bad_request(str(error)) from None
    if (
        watch
        and options.send_initial_events is None
        and not options.resource_version_match
        and options.resource_version in ("", "0")
    ):
        options = replace(options, send_initial_events=True, resource_version_match=_NOT_OLDER_THAN)
    _refuse("ListOptions", _watch_errors(options) if watch else _list_errors(options))
    return options


def _list_errors(options: ListOptions) -> list[FieldError]:
    path, match, errors = Path("resourceVersionMatch"), options.resource_version_match, []
    if match:
        if not options.resource_version:
            text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            errors.append(fields.forbidden(path, text))
        if options.continue_token:
            errors.append(fields.forbidden(path, "resourceVersionMatch is forbidden when continue is provided"))
        if match not in ("Exact", _NOT_OLDER_THAN):
            errors.append(fields.not_supported(path, match, ["Exact", _NOT_OLDER_THAN, ""]))
        if match == "Exact" and options.resource_version == "0":
            text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            errors.append(fields.forbidden(path, text))
    if options.send_initial_events is not None:
        errors.append(fields.forbidden(Path("sendInitialEvents"), "sendInitialEvents is forbidden for list"))
    return errors


def _watch_errors(options: ListOptions) -> list[FieldError]:
    path, match, errors = Path("resourceVersionMatch"), options.resource_version_match, []
    if options.send_initial_events is not None and match != _NOT_OLDER_THAN:
        text = f"sendInitialEvents requires setting resourceVersionMatch to {_NOT_OLDER_THAN}"
        errors.append(fields.forbidden(path, text))
    if match:
        if options.send_initial_events is None:
            text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            errors.append(fields.forbidden(path, text))
        if match != _NOT_OLDER_THAN:
            errors.append(fields.not_supported(path, match, [_NOT_OLDER_THAN]))
        if options.continue_token:
            errors.append(fields.forbidden(path, "resourceVersionMatch is forbidden when continue is provided"))
    return errors


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """Options of delete and deletecollection."""

    grace_period_seconds: int | None = None
    uid: str | None = None
    """Precondition: the object's uid."""
    resource_version: str | None = None
    """Precondition: the object's resourceVersion."""
    orphan_dependents: bool | None = None
    propagation_policy: str | None = None
    dry_run: bool = False

    def to_object(self) -> Object:
        """Return the options as admission sees them."""
        obj: Object = {"kind": "DeleteOptions", "apiVersion": f"{META_GROUP}/v1"}
        if self.grace_period_seconds is not None:
            obj["gracePeriodSeconds"] = self.grace_period_seconds
        conditions = {"uid": self.uid, "resourceVersion": self.resource_version}
        if present := {key: value for key, value in conditions.items() if value is not None}:
            obj["preconditions"] = present
        if self.orphan_dependents is not None:
            obj["orphanDependents"] = self.orphan_dependents
        if self.propagation_policy is not None:
            obj["propagationPolicy"] = self.propagation_policy
        if self.dry_run:
            obj["dryRun"] = ["All"]
        return obj


def delete_options_from_query(query: Query) -> DeleteOptions:
    """Return the options of a delete without a body."""
    if not query:
        return DeleteOptions()
    grace = query.get("gracePeriodSeconds") or None
    dry_run = query.all("dryRun")
    try:
        options = DeleteOptions(
            grace_period_seconds=None if grace is None else parse_int64(grace),
            orphan_dependents=parse_bool(query["orphanDependents"]) if "orphanDependents" in query else None,
            propagation_policy=query.get("propagationPolicy"),
            dry_run=bool(dry_run),
        )
    except ValueError as error:
        raise status.bad_request(str(error)) from None
    _check_delete(options, dry_run)
    return options


def delete_options_from_body(obj: Object) -> DeleteOptions:
    """Return the options of a delete from a decoded DeleteOptions whose types have been checked."""
    conditions = obj.get("preconditions") or {}
    dry_run = list(obj.get("dryRun") or ())
    options = DeleteOptions(
        obj.get("gracePeriodSeconds"),
        conditions.get("uid"),
        conditions.get("resourceVersion"),
        obj.get("orphanDependents"),
        obj.get("propagationPolicy"),
        bool(dry_run),
    )
    _check_delete(options, dry_run)
    return options


def _check_delete(options: DeleteOptions, dry_run: Sequence[str]) -> None:
    errors = metadata.validate_delete_options(options.to_object() | {"dryRun": list(dry_run)})
    _refuse("DeleteOptions", errors)
