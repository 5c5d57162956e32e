"""Rules for quantities and for the names of what is counted by them, in kube-apiserver's words.

Facts: pkg/apis/core/helper/helpers.go and pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import NOT_NEGATIVE, POSITIVE, qualified
from kubehop.machinery import fields, names, quantity
from kubehop.machinery.fields import Path

NOT_INTEGER = "must be an integer"
_HUGE_PAGES = "hugepages-"
_REQUESTS = "requests."
_KUBERNETES = "kubernetes.io/"
_COUNTED_OBJECTS = frozenset({
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
})  # fmt: skip
_STANDARD = _COUNTED_OBJECTS | {
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage",
    "limits.cpu", "limits.memory", "limits.ephemeral-storage", "storage", "requests.storage",
}  # fmt: skip
_QUOTA = _STANDARD - {"storage"}
_CONTAINER = frozenset({"cpu", "memory", "ephemeral-storage"})


_parse = functools.lru_cache(maxsize=4096)(quantity.parse)


def amount(value: object) -> quantity.Quantity:
    """Return a quantity that decoding has let through."""
    return _parse(str(value))


def basic(path: Path, value: object) -> Errors:
    """Want a quantity that is not negative, in the words for storage (validateBasicResource)."""
    number = amount(value).value
    if number < 0:
        yield fields.invalid(path, number, "must be a valid resource quantity")


def positive(path: Path, value: object) -> Errors:
    """Want a quantity above zero (ValidatePositiveQuantityValue)."""
    if amount(value).sign <= 0:
        yield fields.invalid(path, str(value), POSITIVE)


def not_negative_quantity(path: Path, value: object) -> Errors:
    """Want a quantity of zero or more (ValidateNonnegativeQuantity)."""
    if amount(value).sign < 0:
        yield fields.invalid(path, str(value), NOT_NEGATIVE)


def quantity_of(path: Path, resource: str, value: object) -> Errors:
    """Want a quantity that fits what it counts (ValidateResourceQuantityValue)."""
    yield from not_negative_quantity(path, value)
    if _whole(resource) and not amount(value).exact(0):
        yield fields.invalid(path, str(value), NOT_INTEGER)


def _whole(resource: str) -> bool:
    return resource in _COUNTED_OBJECTS or is_extended(resource)


def is_native(resource: str) -> bool:
    """Tell whether a resource is one of Kubernetes' own (IsNativeResource)."""
    return "/" not in resource or _KUBERNETES in resource


def is_extended(resource: str) -> bool:
    """Tell whether a resource is a vendor's (IsExtendedResourceName)."""
    if is_native(resource) or resource.startswith(_REQUESTS):
        return False
    return not names.qualified_name(f"{_REQUESTS}{resource}")


def may_be_overcommitted(resource: str) -> bool:
    """Tell whether limits may be above requests (IsOvercommitAllowed)."""
    return is_native(resource) and not resource.startswith(_HUGE_PAGES)


def resource_name(path: Path, resource: str) -> Errors:
    """Want the name of something that can be counted (validateResourceName)."""
    found = list(qualified(path, resource))
    yield from found
    if not found and "/" not in resource and not _is_standard(resource):
        yield fields.invalid(path, resource, "must be a standard resource type or fully qualified")


def _is_standard(resource: str) -> bool:
    return resource in _STANDARD or resource.startswith((_HUGE_PAGES, f"{_REQUESTS}{_HUGE_PAGES}"))


def is_quota_resource(resource: str) -> bool:
    """Tell whether a quota can limit a resource by its short name (IsStandardQuotaResourceName)."""
    return resource in _QUOTA or resource.startswith((_HUGE_PAGES, f"{_REQUESTS}{_HUGE_PAGES}"))


def quota_resource_name(path: Path, resource: str) -> Errors:
    """Want the name of something that a quota can limit (ValidateResourceQuotaResourceName)."""
    yield from resource_name(path, resource)
    if "/" not in resource and not is_quota_resource(resource):
        yield fields.invalid(path, resource, "must be a standard resource for quota")


def container_resource_name(path: Path, resource: str) -> Errors:
    """Want the name of something that containers use (validateContainerResourceName)."""
    yield from resource_name(path, resource)
    if "/" not in resource:
        if resource not in _CONTAINER and not resource.startswith(_HUGE_PAGES):
            yield fields.invalid(path, resource, "must be a standard resource for containers")
    elif not is_native(resource) and not is_extended(resource):
        yield fields.invalid(path, resource, "doesn't follow extended resource name standard")


def quantities(path: Path, found: Mapping[str, object] | None) -> Errors:
    """Want fitting quantities in the map at a path, in order of their names."""
    for resource, value in sorted((found or {}).items()):
        yield from quantity_of(path.key(resource), resource, value)
