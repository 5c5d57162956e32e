"""ServiceAccount: every pod runs as one that exists, with its token mounted and its pull secrets.

Source of the behaviour: plugin/pkg/admission/serviceaccount/admission.go.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from kubehop.machinery import objects
from kubehop.machinery.objects import Object, metadata
from services.admission.attributes import CREATE, UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugin import Change, Scoped, forbidden
from services.admission.pods import MIRROR_ANNOTATION, PODS, secret_names, spec_of

DEFAULT: Final = "default"
MOUNT_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX: Final = "kube-api-access-"
ENFORCE_MOUNTABLE: Final = "kubernetes.io/enforce-mountable-secrets"

_EPHEMERAL: Final = "ephemeralcontainers"
_SUFFIX_LETTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
# the account `default` is made by a controller soon after its namespace: wait for that a little
_DEFAULT_ATTEMPTS: Final = 10
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})


class ServiceAccount(Scoped):
    """See the module."""

    name: Final = "ServiceAccount"
    operations = frozenset({CREATE, UPDATE})
    places = frozenset({PODS, ("", "pods", _EPHEMERAL)})

    def __init__(self, cluster: Cluster, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._accounts = Lookup.of(cluster, "", "serviceaccounts")
        self._sleep = sleep

    async def admit(self, attributes: Attributes) -> Change | None:
        """Name the account, mount its token, take over its pull secrets; then what `validate` refuses."""
        if attributes.operation != CREATE:
            return None
        pod = attributes.object
        if MIRROR_ANNOTATION in objects.annotations(pod):
            # a changed mirror would be deleted by its kubelet at once
            await self.validate(attributes)
            return None
        spec = spec_of(pod)
        done = []
        name = account_name(spec)
        if not name:
            name = DEFAULT
            done.append("runs as default")
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = await self._account(attributes, name)
        if _automounts(account, spec) and _mount_token(spec):
            done.append("token mounted")
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [{"name": secret.get("name", "")} for secret in account["imagePullSecrets"]]
            done.append("pull secrets of the account")
        self._check_secrets(attributes, spec, account)
        return Change(", ".join(done)) if done else None

    async def validate(self, attributes: Attributes) -> None:
        """Refuse a pod without an account that exists, and secrets that the account does not list."""
        spec = spec_of(attributes.object)
        if attributes.operation == UPDATE:
            if attributes.subresource == _EPHEMERAL:
                account = await self._required(attributes, spec)
                self._check_ephemeral(attributes, spec, account)
            return
        if attributes.subresource:
            return
        if MIRROR_ANNOTATION in objects.annotations(attributes.object):
            _check_mirror(attributes, spec)
            return
        self._check_secrets(attributes, spec, await self._required(attributes, spec))

    async def _required(self, attributes: Attributes, spec: Object) -> Object:
        name = account_name(spec)
        if not name:
            pod = metadata(attributes.object).get("name", "")
            raise forbidden(attributes, f"no service account specified for pod {attributes.namespace}/{pod}")
        return await self._account(attributes, name)

    async def _account(self, attributes: Attributes, name: str) -> Object:
        namespace = attributes.namespace
        account = await self._accounts.get(name, namespace)
        if account is None and name == DEFAULT:
            pause = random.uniform(0.1, 0.2)  # noqa: S311 - spreads retries, no secret
            for _ in range(_DEFAULT_ATTEMPTS - 1):
                await self._sleep(pause)
                account = await self._accounts.live(name, namespace)
                if account is not None:
                    break
        if account is None:
            raise forbidden(
                attributes,
                f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found',
            )
        return account

    @staticmethod
    def _check_secrets(attributes: Attributes, spec: Object, account: Object) -> None:
        if not _enforces(account):
            return
        name = metadata(account)["name"]
        allowed = _names(account.get("secrets"))
        not_allowed = f"is not allowed because service account {name} does not reference that secret"
        for volume in spec.get("volumes") or ():
            secret = (volume.get("secret") or {}).get("secretName", "")
            if volume.get("secret") and secret not in allowed:
                raise forbidden(attributes, f'volume with secret.secretName="{secret}" {not_allowed}')
        _check_environment(attributes, "init container", spec.get("initContainers"), allowed, not_allowed)
        _check_environment(attributes, "container", spec.get("containers"), allowed, not_allowed)
        pullable = _names(account.get("imagePullSecrets"))
        for index, reference in enumerate(spec.get("imagePullSecrets") or ()):
            if reference.get("name", "") not in pullable:
                raise forbidden(
                    attributes,
                    f'imagePullSecrets[{index}].name="{reference.get("name", "")}" is not allowed because service'
                    f" account {name} does not reference that imagePullSecret",
                )

    @staticmethod
    def _check_ephemeral(attributes: Attributes, spec: Object, account: Object) -> None:
        if not _enforces(account):
            return
        name = metadata(account)["name"]
        not_allowed = f"is not allowed because service account {name} does not reference that secret"
        allowed = _names(account.get("secrets"))
        _check_environment(attributes, "ephemeral container", spec.get("ephemeralContainers"), allowed, not_allowed)


def account_name(spec: Object) -> str:
    """The account that a pod names, in the field of today or in the deprecated one."""
    name: str = spec.get("serviceAccountName") or spec.get("serviceAccount") or ""
    return name


def _automounts(account: Object, spec: Object) -> bool:
    for said in (spec.get("automountServiceAccountToken"), account.get("automountServiceAccountToken")):
        if said is not None:
            return bool(said)
    return True


def _mount_token(spec: Object) -> bool:
    """Mount the token into every container that has nothing at its path; False where none needed it."""
    present = next(
        (volume["name"] for volume in spec.get("volumes") or () if volume.get("name", "").startswith(VOLUME_PREFIX)),
        None,
    )
    name = present or VOLUME_PREFIX + "".join(random.choices(_SUFFIX_LETTERS, k=5))  # noqa: S311 - a name
    mounted = False
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            mounts = container.get("volumeMounts") or []
            if not any(mount.get("mountPath") == MOUNT_PATH for mount in mounts):
                container["volumeMounts"] = [*mounts, {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}]
                mounted = True
    if mounted and present is None:
        spec["volumes"] = [*(spec.get("volumes") or []), _token_volume(name)]
    return mounted


def _token_volume(name: str) -> Object:
    namespace = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}
    return {
        "name": name,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [namespace]}},
            ],
            "defaultMode": 0o644,
        },
    }


def _enforces(account: Object) -> bool:
    return objects.annotations(account).get(ENFORCE_MOUNTABLE) in _TRUE


def _names(references: Iterable[Object] | None) -> frozenset[str]:
    return frozenset(reference.get("name", "") for reference in references or ())


def _check_environment(
    attributes: Attributes, what: str, containers: Iterable[Object] | None, allowed: frozenset[str], not_allowed: str
) -> None:
    for container in containers or ():
        for variable in container.get("env") or ():
            reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
            if reference and reference.get("name", "") not in allowed:
                raise forbidden(
                    attributes,
                    f"{what} {container.get('name', '')} with envVar {variable.get('name', '')} referencing"
                    f' secret.secretName="{reference.get("name", "")}" {not_allowed}',
                )


def _check_mirror(attributes: Attributes, spec: Object) -> None:
    if account_name(spec):
        raise forbidden(attributes, "a mirror pod may not reference service accounts")
    if next(secret_names(spec), None) is not None:
        raise forbidden(attributes, "a mirror pod may not reference secrets")
    for volume in spec.get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or ():
            if source.get("serviceAccountToken"):
                raise forbidden(attributes, "a mirror pod may not use ServiceAccountToken volume projections")
