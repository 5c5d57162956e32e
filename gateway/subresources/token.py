"""serviceaccounts/token: a TokenRequest is answered with a token, which the authentication stage signs.

The gateway finds the account and the object that the token is to be bound to; keys it has none. As TokenREST in
pkg/registry/core/serviceaccount/storage/token.go of Kubernetes.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import orjson

from gateway.answers import Answer
from gateway.context import RequestContext
from gateway.forms import value_answer
from gateway.negotiating import negotiate
from gateway.options import read_write_options
from gateway.scopes import Scope
from gateway.writing import bodies
from gateway.writing.admitting import CREATE, Admission
from gateway.writing.owning import field_manager, manager_name
from kubehop.machinery import fields, status, timestamps
from kubehop.machinery.fields import Path
from kubehop.machinery.gotext import quote
from kubehop.machinery.metadata import ensure_namespace, fill_system_fields, wipe_system_fields
from kubehop.machinery.objects import Object, name, namespace, uid
from kubehop.machinery.objects import metadata as meta_of
from kubehop.machinery.status import StatusError
from kubehop.pb.authentication.v1 import IssueTokenRequest, ObjectReference
from kubehop.pb.storage.v1 import Key

if TYPE_CHECKING:
    from gateway.backends import Storage
    from gateway.routing import Verb
    from gateway.verbs.tools import Tools

GROUP, KIND = "authentication.k8s.io", "TokenRequest"
DEFAULT_SECONDS = 3600
LEAST_SECONDS = 600
MOST_SECONDS = 1 << 32
_BINDABLE = {"Pod": "pods", "Node": "nodes", "Secret": "secrets"}


def verb(tools: Tools) -> Verb:
    """Return the create verb."""
    backends = tools.backends

    async def create(request: RequestContext, scope: Scope) -> Answer:
        accepted = negotiate(request)
        media_type = bodies.media_type_of(request)
        data = await bodies.read(request)
        options = read_write_options(request.query, "CreateOptions")
        asked = bodies.decode(request, data, media_type, scope.kind, options.validation)
        wipe_system_fields(asked)
        _default(asked)
        ensure_namespace(asked, scope.namespace, namespaced=True)
        admission = Admission(backends.admission, request, scope, options.to_object(), options.dry_run)
        manager = manager_name(request, options.field_manager)
        field_manager(scope).update(None, asked, manager, timestamps.now())
        changed = await admission.mutate(CREATE, asked, None, scope.name)
        assert changed is not None  # a request went in, so one comes out
        _check_names(scope, changed)
        account = await _read(request, backends.storage, "serviceaccounts", scope.namespace, scope.name)
        meta_of(changed)["name"], meta_of(changed)["namespace"] = name(account), namespace(account)
        fill_system_fields(changed)
        _check_spec(changed)
        await admission.validate(CREATE, changed, None, scope.name)
        bound = await _bound(request, backends.storage, scope, changed["spec"].get("boundObjectRef"))
        answer = await backends.authentication.issue_token(
            request,
            IssueTokenRequest(
                namespace=scope.namespace,
                service_account=_reference(account),
                pod=bound.pod,
                secret=bound.secret,
                node=bound.node,
                audiences=changed["spec"].get("audiences") or (),
                expiration_seconds=changed["spec"]["expirationSeconds"],
            ),
        )
        for text in answer.warnings:
            request.add_warning(text)
        expires = dt.datetime.fromtimestamp(answer.issued_unix + answer.expiration_seconds, dt.UTC)
        issued: Object = {
            "kind": changed["kind"],
            "apiVersion": changed["apiVersion"],
            "metadata": changed["metadata"],
            "spec": {
                "audiences": list(answer.audiences),
                "expirationSeconds": answer.expiration_seconds,
                "boundObjectRef": changed["spec"].get("boundObjectRef"),
            },
            "status": {"token": answer.token, "expirationTimestamp": timestamps.format_time(expires)},
        }
        return value_answer(request, scope, accepted, issued, 201)

    return create


class _Bound(NamedTuple):
    """What a token is bound to, at most one of the three, or a pod and its node."""

    pod: ObjectReference | None = None
    secret: ObjectReference | None = None
    node: ObjectReference | None = None


def _default(asked: Object) -> None:
    spec = asked.get("spec")
    if not isinstance(spec, dict):
        spec = asked["spec"] = {}
    if spec.get("expirationSeconds") is None:
        spec["expirationSeconds"] = DEFAULT_SECONDS


def _check_names(scope: Scope, asked: Object) -> None:
    for key, given, wanted in (("name", name(asked), scope.name), ("namespace", namespace(asked), scope.namespace)):
        if given and given != wanted:
            text = f"must match the service account {key} if specified"
            raise status.invalid(GROUP, KIND, scope.name, [fields.invalid(Path("metadata", key), given, text)])


def _check_spec(asked: Object) -> None:
    path, seconds = Path("spec", "expirationSeconds"), asked["spec"]["expirationSeconds"]
    errors = []
    if seconds < LEAST_SECONDS:
        errors.append(fields.invalid(path, seconds, "may not specify a duration less than 10 minutes"))
    if seconds > MOST_SECONDS:
        errors.append(fields.invalid(path, seconds, "may not specify a duration larger than 2^32 seconds"))
    if errors:
        raise status.invalid(GROUP, KIND, "", errors)


async def _bound(request: RequestContext, storage: Storage, scope: Scope, reference: Object | None) -> _Bound:
    """Return the object that the token is to be bound to, as it is now. Raises 400, 404 and 409."""
    if reference is None:
        return _Bound()
    group, _, version = (reference.get("apiVersion") or "").rpartition("/")
    kind, wanted = reference.get("kind") or "", reference.get("name") or ""
    resource = "" if group else _BINDABLE.get(kind, "")
    if not resource:
        raise status.bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    found = await _read(request, storage, resource, "" if resource == "nodes" else scope.namespace, wanted)
    bound = _Bound()
    if resource == "pods":
        if (found.get("spec") or {}).get("serviceAccountName") != scope.name:
            raise status.bad_request(
                f"cannot bind token for serviceaccount {quote(scope.name)} to pod running with different "
                "serviceaccount name."
            )
        bound = _Bound(pod=_reference(found), node=await _node_of(request, storage, found))
    elif resource == "secrets":
        bound = _Bound(secret=_reference(found))
    else:
        bound = _Bound(node=_reference(found))
    expected = reference.get("uid")
    if expected and expected != uid(found):
        text = (
            f"the UID in the bound object reference ({expected}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise status.conflict("", kind, wanted, text)
    return bound


async def _node_of(request: RequestContext, storage: Storage, pod: Object) -> ObjectReference | None:
    """Return the node that a pod runs on; by name alone where it is not registered."""
    node = (pod.get("spec") or {}).get("nodeName")
    if not node:
        return None
    try:
        return _reference(await _read(request, storage, "nodes", "", node))
    except StatusError as error:
        if error.reason != "NotFound":
            raise
        return ObjectReference(name=node)


async def _read(request: RequestContext, storage: Storage, resource: str, space: str, wanted: str) -> Object:
    found: Object = orjson.loads(
        (await storage.get(request, Key(resource=resource, namespace=space, name=wanted))).object
    )
    return found


def _reference(obj: Object) -> ObjectReference:
    return ObjectReference(name=name(obj), uid=uid(obj))
