"""Server-side apply: a PATCH that says what a manager wants, and what it owns from then on.

Called by the patch verb for apply patches. As applyPatcher in apiserver pkg/endpoints/handlers/patch.go; the merge and
the ownership are `kubehop.machinery.apply`.
"""

from __future__ import annotations

from gateway.backends import Backends
from gateway.verbs.update import authorize_create
from gateway.writing import updating
from gateway.writing.owning import field_manager
from gateway.writing.updating import Make
from gateway.writing.writes import Write
from kubehop.machinery import codec, status, timestamps
from kubehop.machinery.exactly import json_kind
from kubehop.machinery.metadata import check_name
from kubehop.machinery.objects import Object, deep_copy, uid


def maker(write: Write, backends: Backends, data: bytes) -> Make:
    """Return what makes the new object of an apply. Raises 400 for a body that is no document."""
    scope, options = write.scope, write.options
    config, complaints = _read(data)

    async def make(live: Object | None) -> Object:
        manager = field_manager(scope)
        new = manager.apply(
            live, deep_copy(config), options.field_manager, timestamps.now(), force=bool(options.force))  # fmt: skip
        if complaints and options.validation == "Strict":
            raise status.bad_request(f"error strict decoding YAML: error converting YAML to JSON: {complaints[0]}")
        if options.validation != "Ignore":
            for text in codec.strict_warnings(complaints):
                write.request.add_warning(text)
        if live is None:
            if uid(new):
                resource = scope.resource
                text = f"uid mismatch: the provided object specified uid {uid(new)}, and no existing object was found"
                raise status.conflict(resource.group, resource.name, scope.name, text)
            await authorize_create(write.request, backends)
        write.ensure_namespace(new)
        check_name(new, scope.name, scope.namespace)
        return await updating.admit(write, new, live)

    return make


def _read(data: bytes) -> tuple[Object, tuple[str, ...]]:
    """Return the configuration and what strict reading complains of."""
    try:
        body = codec.decode(data, codec.YAML)
    except codec.DecodeError as error:
        raise status.bad_request(f"error decoding YAML: error converting YAML to JSON: {error}") from None
    if body.value is None:
        return {}, body.strict_errors
    if not isinstance(body.value, dict):
        kind = json_kind(body.value)
        text = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        raise status.bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {text}")
    return body.value, body.strict_errors
