"""Writes one line per request, in the form in which the stages write one per hop, and counts it in the metrics.

Outside everything that can refuse a request, so that refusals are logged too. Secrets never appear: no header, no
body, and of the query only its keys' effect (verb, resource, name) is written.
As kube-apiserver's httplog (pkg/server/httplog) and its request metrics.
"""

from __future__ import annotations

from time import perf_counter

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext
from gateway.metrics import Metrics
from kubehop.hop.logs import HopLog
from kubehop.kinds import catalogue

CLIENT_GONE = 499
"""Code in the log of a request whose client went away before the answer."""


def wrap(handler: Handler, log: HopLog | None, metrics: Metrics) -> Handler:
    """Return the handler whose requests are logged and counted as they end."""

    async def with_request_log(request: RequestContext) -> Answer:
        started = perf_counter()
        code, size = CLIENT_GONE, 0
        try:
            answer = await handler(request)
        except Exception as error:
            code = CLIENT_GONE if isinstance(error, ConnectionError) else 500
            raise
        else:
            code, size = answer.status, answer.size
            return answer
        finally:
            seconds = perf_counter() - started
            info = request.info
            known = (
                info.is_resource_request
                and catalogue.lookup(info.api_group, info.api_version, info.resource) is not None
            )
            dry_run = "All" if request.query_string and "dryRun" in request.query else ""
            metrics.request(info, code, seconds, size, known=known, dry_run=dry_run)
            if log is not None and log.enabled:
                _write(log, request, code, size, seconds)

    return with_request_log


def _write(log: HopLog, request: RequestContext, code: int, size: int, seconds: float) -> None:
    info = request.info
    if info.is_resource_request:
        resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        if info.api_group:
            resource = f"{resource}.{info.api_group}"
        inside = info.namespace if info.resource != "namespaces" else ""
        target = "/".join(part for part in (inside, info.name) if part)
        fields: dict[str, object] = {"resource": resource, "object": target}
    else:
        fields = {"path": request.path}
    user = getattr(request, "user", None)
    if user is not None:
        fields["user"] = user.username
        if request.requester is not user:
            fields["impersonated_by"] = request.requester.username
    log.write(
        audit_id=request.audit_id,
        method=info.verb or request.method,
        verdict=str(code),
        seconds=seconds,
        bytes_in=0,
        bytes_out=size,
        fields=fields,
    )
