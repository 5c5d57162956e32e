"""Access reviews: may this user do that? Answered by hop 2.

SelfSubjectAccessReview, SubjectAccessReview and LocalSubjectAccessReview differ in whom they ask about and where.
As pkg/registry/authorization and pkg/apis/authorization/validation of Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.context import RequestContext
from gateway.identities import Identity
from gateway.reviews.answering import review_verb
from gateway.scopes import Scope
from kubehop.machinery import fields, gotext, status
from kubehop.machinery.fields import FieldError, Path
from kubehop.machinery.objects import Object, namespace
from kubehop.pb.authorization.v1 import (
    DECISION_ALLOW,
    DECISION_DENY,
    SELECTOR_OPERATOR_DOES_NOT_EXIST,
    SELECTOR_OPERATOR_EXISTS,
    SELECTOR_OPERATOR_IN,
    SELECTOR_OPERATOR_NOT_IN,
    Attributes,
    Requirement,
)

if TYPE_CHECKING:
    from gateway.routing import Verb
    from gateway.verbs.tools import Tools

GROUP = "authorization.k8s.io"
_SPEC = Path("spec")
_OPERATORS = {
    "In": SELECTOR_OPERATOR_IN,
    "NotIn": SELECTOR_OPERATOR_NOT_IN,
    "Exists": SELECTOR_OPERATOR_EXISTS,
    "DoesNotExist": SELECTOR_OPERATOR_DOES_NOT_EXIST,
}


def self_subject(tools: Tools) -> Verb:
    """Return the verb of SelfSubjectAccessReview: may I?"""
    authorizer = tools.backends.authorization

    async def fill(request: RequestContext, _scope: Scope, review: Object) -> Object:
        verdict = await authorizer.authorize(request, request.user, _attributes(review["spec"]))
        return _with_status(review, verdict.decision, verdict.reason)

    return review_verb(tools, _check_self, fill)


def subject(tools: Tools) -> Verb:
    """Return the verb of SubjectAccessReview and, in a namespace, LocalSubjectAccessReview: may they?"""
    authorizer = tools.backends.authorization

    async def fill(request: RequestContext, _scope: Scope, review: Object) -> Object:
        spec = review["spec"]
        user = Identity(
            spec.get("user") or "", spec.get("uid") or "", tuple(spec.get("groups") or ()), spec.get("extra") or {}
        )
        verdict = await authorizer.authorize(request, user.to_user_info(), _attributes(spec))
        return _with_status(review, verdict.decision, verdict.reason)

    return review_verb(tools, _check_subject, fill)


def _with_status(review: Object, decision: int, reason: str) -> Object:
    outcome: Object = {"allowed": decision == DECISION_ALLOW}
    if decision == DECISION_DENY:
        outcome["denied"] = True
    if reason:
        outcome["reason"] = reason
    return {**review, "status": outcome}


def _attributes(spec: Object) -> Attributes:
    """Return what is asked (authorizationutil.AuthorizationAttributesFrom)."""
    about: Object | None = spec.get("resourceAttributes")
    if about is None:
        path: Object = spec["nonResourceAttributes"]
        return Attributes(verb=path.get("verb") or "", path=path.get("path") or "")
    attributes = Attributes(
        verb=about.get("verb") or "",
        resource_request=True,
        api_group=about.get("group") or "",
        api_version=about.get("version") or "",
        resource=about.get("resource") or "",
        subresource=about.get("subresource") or "",
        namespace=about.get("namespace") or "",
        name=about.get("name") or "",
    )
    for selector, target in ((about.get("fieldSelector"), attributes.field_selector),
                             (about.get("labelSelector"), attributes.label_selector)):  # fmt: skip
        target.extend(_requirements(selector or {}))
    return attributes


def _requirements(selector: Object) -> list[Requirement]:
    """Return the requirements of a selector that authorizers know; others only narrow the question and are left out."""
    return [
        Requirement(key=one.get("key") or "", operator=operator, values=one.get("values") or ())
        for one in selector.get("requirements") or ()
        if (operator := _OPERATORS.get(one.get("operator") or "")) is not None
    ]


def _check_self(_scope: Scope, review: Object) -> None:
    errors = _attribute_errors(review.get("spec") or {})
    _refuse(errors + _metadata_errors(review, ()))


def _check_subject(scope: Scope, review: Object) -> None:
    spec = review.get("spec") or {}
    errors = _attribute_errors(spec)
    if not spec.get("user") and not spec.get("groups"):
        text = "at least one of user or group must be specified"
        errors.append(fields.invalid(_SPEC.child("user"), spec.get("user") or "", text))
    errors += _selector_errors(spec)
    if not scope.resource.namespaced:
        _refuse(errors + _metadata_errors(review, ()))
        return
    errors += _metadata_errors(review, ("namespace",))
    about = spec.get("resourceAttributes")
    if about is not None and (about.get("namespace") or "") != namespace(review):
        path = _SPEC.child("resourceAttributes", "namespace")
        errors.append(fields.invalid(path, about.get("namespace") or "", "must match metadata.namespace"))
    if spec.get("nonResourceAttributes") is not None:
        text = "disallowed on this kind of request"
        errors.append(fields.invalid(_SPEC.child("nonResourceAttributes"), _go_path(spec), text))
    _refuse(errors)


def _attribute_errors(spec: Object) -> list[FieldError]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        text = "cannot be specified in combination with resourceAttributes"
        return [fields.invalid(_SPEC.child("nonResourceAttributes"), _go_path(spec), text)]
    if resource is None and path is None:
        text = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [fields.invalid(_SPEC.child("resourceAttributes"), None, text)]
    return []


def _selector_errors(spec: Object) -> list[FieldError]:
    errors = []
    about = spec.get("resourceAttributes") or {}
    for key in ("fieldSelector", "labelSelector"):
        selector = about.get(key)
        if selector is None:
            continue
        path = _SPEC.child("resourceAttributes", key)
        raw, listed = selector.get("rawSelector"), selector.get("requirements")
        if raw and listed:
            text = "may not specified at the same time as requirements"
            errors.append(fields.invalid(path.child("rawSelector"), raw, text))
        if not raw and not listed:
            text = f"when {path} is specified, requirements or rawSelector is required"
            errors.append(fields.required(path.child("requirements"), text))
    return errors


def _go_path(spec: Object) -> Any:
    """Print nonResourceAttributes as the internal type, whose fields have Go's names."""
    path = spec["nonResourceAttributes"]
    shown = {"Path": path.get("path") or "", "Verb": path.get("verb") or ""}
    return fields.Literal(gotext.json_text(shown))


def _metadata_errors(review: Object, allowed: tuple[str, ...]) -> list[FieldError]:
    metadata = review.get("metadata") or {}
    if all(key in ("managedFields", *allowed) for key in metadata):
        return []
    text = f"must be empty except for {allowed[0]}" if allowed else "must be empty"
    return [fields.invalid(Path("metadata"), metadata, text)]


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise status.invalid(GROUP, "", "", errors)
