"""What the token of a service account says, and whether it is so now.

Two kinds of tokens: bound ones, which TokenRequest issues, and legacy ones, which live in a secret. The authenticator
reads `Claims` from a verified token and asks `check_time` and `check_objects` each time that it is used. As
pkg/serviceaccount (claims.go, legacy.go) of Kubernetes, whose words the errors are.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.authentication.identity import CREDENTIAL_ID, User
from services.authentication.issuer import Reference

LEGACY_ISSUER = "kubernetes/serviceaccount"
LEEWAY_SECONDS = 60.0
"""How far clocks may be apart."""
INVALIDATED = "service account token has been invalidated"
UNEXPECTED = "service account token claims could not be validated due to unexpected condition"
_LEGACY_PREFIX = "kubernetes.io/serviceaccount/"
_INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
_EXTRA = "authentication.kubernetes.io/"

Object = Mapping[str, Any]


class ClaimError(ValueError):
    """A token that is not good, whatever its signature; the text is kube-apiserver's."""


class Objects(Protocol):
    """Reads objects of the core group."""

    async def get(self, resource: str, namespace: str, name: str) -> Object | None:
        """Return an object, None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    subject: str
    audiences: tuple[str, ...]
    namespace: str
    account: Reference
    pod: Reference | None = None
    secret: Reference | None = None
    node: Reference | None = None
    token_id: str = ""
    not_before: float | None = None
    issued: float | None = None
    expires: float | None = None
    warn_after: float | None = None
    legacy: bool = False


def read_bound(claims: Object) -> Claims:
    """Read the claims of a token that TokenRequest issued. Raises ClaimError."""
    bound = claims.get("kubernetes.io")
    if not isinstance(bound, dict):
        raise ClaimError(UNEXPECTED)
    account = _reference(bound, "serviceaccount")
    if account is None or not account.name or not account.uid:
        raise ClaimError(UNEXPECTED)
    return Claims(
        subject=_text(claims, "sub"),
        audiences=_audiences(claims),
        namespace=_text(bound, "namespace"),
        account=account,
        pod=_reference(bound, "pod"),
        secret=_reference(bound, "secret"),
        node=_reference(bound, "node"),
        token_id=_text(claims, "jti"),
        not_before=_moment(claims, "nbf"),
        issued=_moment(claims, "iat"),
        expires=_moment(claims, "exp"),
        warn_after=_moment(bound, "warnafter"),
    )


def read_legacy(claims: Object) -> Claims:
    """Read the claims of a token that lives in a secret. Raises ClaimError."""
    found = {"sub": _text(claims, "sub")}
    names = (("namespace", "namespace"), ("secret.name", "secretName"))
    accounts = (("service-account.name", "serviceAccountName"), ("service-account.uid", "serviceAccountUID"))
    for key, _ in (*names, *accounts):
        found[key] = _text(claims, _LEGACY_PREFIX + key)
    for key, title in (("sub", "sub"), *names, *accounts):
        if not found[key]:
            raise ClaimError(f"{title} claim is missing")
    namespace, name = found["namespace"], found["service-account.name"]
    if found["sub"] != username(namespace, name):
        raise ClaimError("sub claim is invalid")
    return Claims(
        subject=found["sub"],
        audiences=_audiences(claims),
        namespace=namespace,
        account=Reference(name, found["service-account.uid"]),
        secret=Reference(found["secret.name"], ""),
        legacy=True,
    )


def username(namespace: str, name: str) -> str:
    """Return the user name of a service account."""
    return f"system:serviceaccount:{namespace}:{name}"


def check_time(claims: Claims, now: float) -> None:
    """Raise ClaimError outside of the token's time."""
    if claims.not_before is not None and now + LEEWAY_SECONDS < claims.not_before:
        raise ClaimError("service account token is not valid yet")
    if claims.expires is not None and now - LEEWAY_SECONDS > claims.expires:
        raise ClaimError("service account token has expired")
    if claims.issued is not None and now + LEEWAY_SECONDS < claims.issued:
        raise ClaimError("service account token is issued in the future")


async def check_objects(claims: Claims, token: str, objects: Objects, now: float) -> None:
    """Raise ClaimError unless the account and what the token is bound to are still there."""
    if claims.legacy:
        await _check_legacy(claims, token, objects, now)
        return
    namespace, account = claims.namespace, claims.account
    found = await objects.get("serviceaccounts", namespace, account.name)
    if found is None:
        raise ClaimError(f'serviceaccounts "{account.name}" not found')
    if _uid(found) != account.uid:
        raise ClaimError(f"service account UID ({_uid(found)}) does not match claim ({account.uid})")
    if _deleted(found, now):
        raise ClaimError(f"service account {namespace}/{account.name} has been deleted")
    bound = [("secrets", "secret", "service account secret", claims.secret), ("pods", "pod", "pod", claims.pod)]
    if claims.pod is None:
        # the node of a pod is only told; alone it is what the token is bound to
        bound.append(("nodes", "node", "node", claims.node))
    for resource, kind, title, reference in bound:
        if reference is None:
            continue
        found = await objects.get(resource, "" if resource == "nodes" else namespace, reference.name)
        if found is None:
            raise ClaimError(INVALIDATED)
        if _uid(found) != reference.uid:
            raise ClaimError(f"{kind} UID ({_uid(found)}) does not match {title} ref claim ({reference.uid})")
        if _deleted(found, now):
            raise ClaimError(INVALIDATED)


async def _check_legacy(claims: Claims, token: str, objects: Objects, now: float) -> None:
    assert claims.secret is not None  # read_legacy has seen to it
    namespace, account = claims.namespace, claims.account
    secret = await objects.get("secrets", namespace, claims.secret.name)
    if secret is None or _deleted(secret, now):
        raise ClaimError("Token has been invalidated")
    if not hmac.compare_digest(secret_data(secret, "token"), token.encode()):
        raise ClaimError("Token does not match server's copy")
    if _INVALID_SINCE in ((secret.get("metadata") or {}).get("labels") or {}):
        raise ClaimError(
            f"the token in secret {namespace}/{claims.secret.name} for service account {namespace}/{account.name} has "
            "been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or "
            f"remove the '{_INVALID_SINCE}' label from the secret to temporarily allow use of this token"
        )
    found = await objects.get("serviceaccounts", namespace, account.name)
    if found is None:
        raise ClaimError(f'serviceaccounts "{account.name}" not found')
    if _deleted(found, now):
        raise ClaimError(f"ServiceAccount {namespace}/{account.name} has been deleted")
    if _uid(found) != account.uid:
        raise ClaimError(f"ServiceAccount UID ({_uid(found)}) does not match claim ({account.uid})")


def secret_data(secret: Object, key: str) -> bytes:
    """Return a value of a secret; nothing where it has none."""
    try:
        return base64.b64decode((secret.get("data") or {}).get(key) or "")
    except (binascii.Error, TypeError):
        return b""


def user_of(claims: Claims) -> User:
    """Return the user that a good token stands for."""
    namespace = claims.namespace
    extra: dict[str, tuple[str, ...]] = {}
    if claims.pod is not None and claims.pod.name and claims.pod.uid:
        extra[f"{_EXTRA}pod-name"] = (claims.pod.name,)
        extra[f"{_EXTRA}pod-uid"] = (claims.pod.uid,)
    if claims.token_id:
        extra[CREDENTIAL_ID] = (f"JTI={claims.token_id}",)
    if claims.node is not None and claims.node.name:
        extra[f"{_EXTRA}node-name"] = (claims.node.name,)
        if claims.node.uid:
            extra[f"{_EXTRA}node-uid"] = (claims.node.uid,)
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return User(username(namespace, claims.account.name), claims.account.uid, groups, extra)


def _reference(claims: Object, key: str) -> Reference | None:
    found = claims.get(key)
    if found is None:
        return None
    if not isinstance(found, dict):
        raise ClaimError(UNEXPECTED)
    return Reference(_text(found, "name"), _text(found, "uid"))


def _text(claims: Object, key: str) -> str:
    found = claims.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise ClaimError(UNEXPECTED)
    return found


def _audiences(claims: Object) -> tuple[str, ...]:
    found = claims.get("aud")
    listed = [found] if isinstance(found, str) else found or []
    if not isinstance(listed, list) or not all(isinstance(audience, str) for audience in listed):
        raise ClaimError(UNEXPECTED)
    return tuple(listed)


def _moment(claims: Object, key: str) -> float | None:
    found = claims.get(key)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ClaimError(UNEXPECTED)
    return float(found)


def _uid(obj: Object) -> str:
    return str((obj.get("metadata") or {}).get("uid") or "")


def _deleted(obj: Object, now: float) -> bool:
    """Say whether an object that is being deleted should be gone by now."""
    text = (obj.get("metadata") or {}).get("deletionTimestamp")
    if not text:
        return False
    return datetime.fromisoformat(str(text)).timestamp() < now - LEEWAY_SECONDS
