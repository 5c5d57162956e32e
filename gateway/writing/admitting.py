"""Hops 3 and 4: what admission makes of an object, and whether it accepts it.

Called by the pipelines beside this module. Objects cross in the version of the request. A denial becomes the Status
that the stage worded; warnings and audit annotations go with the request.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from gateway.backends import Admitter
from gateway.context import RequestContext
from gateway.scopes import Scope
from kubehop.machinery import status
from kubehop.machinery.objects import Object
from kubehop.machinery.status import StatusError
from kubehop.pb.admission.v1 import (
    DECISION_ALLOWED,
    OPERATION_CREATE,
    OPERATION_DELETE,
    OPERATION_UPDATE,
    Attributes,
    Denial,
    GroupVersionKind,
    GroupVersionResource,
    MutateResponse,
    Operation,
    ValidateResponse,
)

CREATE, UPDATE, DELETE = OPERATION_CREATE, OPERATION_UPDATE, OPERATION_DELETE


@dataclass(frozen=True, slots=True)
class Admission:
    """Admission as one request asks for it."""

    stage: Admitter
    request: RequestContext
    scope: Scope
    options: Object
    """Options of the request as an object (CreateOptions and so on)."""
    dry_run: bool

    async def mutate(
        self, operation: Operation, obj: Object | None, old: Object | None, name: str, options: Object | None = None
    ) -> Object | None:
        """Return the object as the mutating phase leaves it. Raises the denial."""
        attributes = self._attributes(operation, obj, old, name, options)
        answer = await self.stage.mutate(self.request, attributes)
        self._note(answer)
        if answer.decision != DECISION_ALLOWED:
            raise denial_error(answer.denial)
        if obj is None or not answer.object:
            return obj
        changed: Object = orjson.loads(answer.object)
        return changed

    async def validate(
        self, operation: Operation, obj: Object | None, old: Object | None, name: str, options: Object | None = None
    ) -> None:
        """Raise the denial unless the validating phase accepts the object."""
        attributes = self._attributes(operation, obj, old, name, options)
        answer = await self.stage.validate(self.request, attributes)
        self._note(answer)
        if answer.decision != DECISION_ALLOWED:
            raise denial_error(answer.denial)

    def _attributes(
        self, operation: Operation, obj: Object | None, old: Object | None, name: str, options: Object | None
    ) -> Attributes:
        scope = self.scope
        resource, kind = scope.resource, scope.kind
        namespace = scope.namespace
        if resource.name == "namespaces" and not resource.group:
            namespace = name  # a namespace lies in itself, for admission
        return Attributes(
            operation=operation,
            user=self.request.user,
            kind=GroupVersionKind(group=kind.group, version=kind.version, kind=kind.kind),
            resource=GroupVersionResource(group=resource.group, version=resource.version, resource=resource.name),
            subresource=scope.subresource_name,
            namespace=namespace,
            name=name,
            object=b"" if obj is None else orjson.dumps(obj),
            old_object=b"" if old is None else orjson.dumps(old),
            options=orjson.dumps(self.options if options is None else options),
            dry_run=self.dry_run,
        )

    def _note(self, answer: MutateResponse | ValidateResponse) -> None:
        for text in answer.warnings:
            self.request.add_warning(text)
        self.request.add_audit_annotations(answer.audit_annotations)


def denial_error(denial: Denial) -> StatusError:
    """Return the error for a refusal; one that says nothing is a bare 403."""
    body = status.status(
        denial.code or 403, denial.reason or "Forbidden", denial.message or "admission denied the request"
    )
    if denial.details:
        body["details"] = orjson.loads(denial.details)
        body["code"] = body.pop("code")  # last, as everywhere
    if denial.retry_after_seconds:
        body.setdefault("details", {})["retryAfterSeconds"] = denial.retry_after_seconds
    return status.from_status(body)
