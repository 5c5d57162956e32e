"""What an authorization question is made of, and the 403 that its refusal becomes.

Used by the authorization and impersonation filters, by verbs that create on update, and by access reviews.
"""

from __future__ import annotations

from collections.abc import Iterable

from kubehop.machinery import status
from kubehop.machinery.request_info import RequestInfo
from kubehop.machinery.selectors import fields as field_selectors
from kubehop.machinery.selectors import labels as label_selectors
from kubehop.machinery.selectors.labels import Operator
from kubehop.machinery.status import StatusError
from kubehop.pb.authorization.v1 import (
    SELECTOR_OPERATOR_DOES_NOT_EXIST,
    SELECTOR_OPERATOR_EXISTS,
    SELECTOR_OPERATOR_IN,
    SELECTOR_OPERATOR_NOT_IN,
    Attributes,
    Requirement,
)


def attributes_of(info: RequestInfo) -> Attributes:
    """Return what is asked about a request (filters.GetAuthorizerAttributes)."""
    if not info.is_resource_request:
        return Attributes(verb=info.verb, path=info.path)
    attributes = Attributes(
        verb=info.verb,
        resource_request=True,
        api_group=info.api_group,
        api_version=info.api_version,
        resource=info.resource,
        subresource=info.subresource,
        namespace=info.namespace,
        name=info.name,
        path=info.path,
    )
    if info.field_selector:
        attributes.field_selector.extend(_field_requirements(info.field_selector))
    if info.label_selector:
        attributes.label_selector.extend(_label_requirements(info.label_selector))
    return attributes


def denied(username: str, attributes: Attributes, reason: str) -> StatusError:
    """Return the 403 for a question that was not answered with yes."""
    return status.access_denied(
        user=username,
        verb=attributes.verb,
        resource_request=attributes.resource_request,
        path=attributes.path,
        group=attributes.api_group,
        resource=attributes.resource,
        subresource=attributes.subresource,
        namespace=attributes.namespace,
        name=attributes.name,
        reason=reason,
    )


def _field_requirements(text: str) -> Iterable[Requirement]:
    """Return the requirements of a field selector; a malformed one adds none (the handler answers 400 later)."""
    try:
        selector = field_selectors.parse(text)
    except ValueError:
        return
    for requirement in selector.requirements:
        operator = SELECTOR_OPERATOR_NOT_IN if requirement.operator == "!=" else SELECTOR_OPERATOR_IN
        yield Requirement(key=requirement.field, operator=operator, values=[requirement.value])


_LABEL_OPERATORS = {
    Operator.IN: SELECTOR_OPERATOR_IN,
    Operator.EQUALS: SELECTOR_OPERATOR_IN,
    Operator.DOUBLE_EQUALS: SELECTOR_OPERATOR_IN,
    Operator.NOT_IN: SELECTOR_OPERATOR_NOT_IN,
    Operator.NOT_EQUALS: SELECTOR_OPERATOR_NOT_IN,
    Operator.EXISTS: SELECTOR_OPERATOR_EXISTS,
    Operator.DOES_NOT_EXIST: SELECTOR_OPERATOR_DOES_NOT_EXIST,
}
"""Comparisons by number (gt, lt) are unknown to authorizers and left out, which only widens what is asked about."""


def _label_requirements(text: str) -> Iterable[Requirement]:
    """Return the requirements of a label selector that authorizers know; a malformed one adds none."""
    try:
        selector = label_selectors.parse(text)
    except ValueError:
        return
    for requirement in selector.requirements:
        operator = _LABEL_OPERATORS.get(requirement.operator)
        if operator is not None:
            yield Requirement(key=requirement.key, operator=operator, values=sorted(requirement.values))
