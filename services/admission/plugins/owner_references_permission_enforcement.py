"""OwnerReferencesPermissionEnforcement: who sets owners may delete, and may hold up the deletion of the owner.

Source of the behaviour: plugin/pkg/admission/gc/gc_admission.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubehop.kinds import catalogue
from kubehop.machinery.objects import Object, metadata, parse_group_version
from kubehop.pb.admission.v1 import Operation
from kubehop.pb.authorization.v1 import Attributes as Action
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.authorizer import Authorizer
from services.admission.plugin import forbidden


class OwnerReferencesPermissionEnforcement:
    """See the module."""

    name: Final = "OwnerReferencesPermissionEnforcement"

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def handles(self, operation: Operation) -> bool:
        """Creations and updates."""
        return operation in {CREATE, UPDATE}

    def concerns(self, group: str, resource: str, subresource: str) -> bool:
        """Everything but the status of pods, whose strategy keeps the owners as they are."""
        return (group, resource, subresource) != ("", "pods", "status")

    async def validate(self, attributes: Attributes) -> None:
        """Refuse owners that the user may not set."""
        new = _references(attributes.object)
        old = _references(attributes.old_object)
        if new == old:
            return
        action = Action(
            verb="delete",
            resource_request=True,
            api_group=attributes.group,
            api_version=attributes.version,
            resource=attributes.resource,
            subresource=attributes.subresource,
            namespace=attributes.namespace,
            name=attributes.name,
        )
        verdict = await self._authorizer.authorize(attributes.user, action)
        if not verdict.allowed:
            raise forbidden(
                attributes, f"cannot set an ownerRef on a resource you can't delete: {verdict.reason}, <nil>"
            )
        for reference in _newly_blocking(new, old):
            await self._check_owner(attributes, reference)

    async def _check_owner(self, attributes: Attributes, reference: Object) -> None:
        """Refuse to hold up the deletion of an owner that the user may not keep from being finalized."""
        api_version, kind = reference.get("apiVersion") or "", reference.get("kind") or ""
        try:
            group, version = parse_group_version(api_version)
            resource = catalogue.lookup_kind(group, version, kind)
            why = f'no matches for kind "{kind}" in version "{api_version}"'
        except ValueError as error:
            resource, why = None, str(error)
        if resource is None:
            raise forbidden(
                attributes,
                "cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion"
                f" {api_version} Kind {kind}: {why}",
            )
        action = Action(
            verb="update",
            resource_request=True,
            api_group=resource.group,
            api_version=resource.version,
            resource=resource.name,
            subresource="finalizers",
            namespace=attributes.namespace if resource.namespaced else "",
            name=reference.get("name") or "",
        )
        verdict = await self._authorizer.authorize(attributes.user, action)
        if not verdict.allowed:
            raise forbidden(
                attributes,
                "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on:"
                f" {verdict.reason}, <nil>",
            )


def _references(obj: Object) -> list[Object]:
    return metadata(obj).get("ownerReferences") or []


def _newly_blocking(new: list[Object], old: list[Object]) -> Iterator[Object]:
    blocking = {reference.get("uid") for reference in old if reference.get("blockOwnerDeletion")}
    for reference in new:
        if reference.get("blockOwnerDeletion") and reference.get("uid") not in blocking:
            yield reference
