"""Turns the unexpected into a bland 500: the log gets it whole, the client gets a Status without details.

Just inside audit_id, so that whatever fails below has an id to be looked up by.
As kube-apiserver's WithPanicRecovery, with a Status in place of its text.
"""

from __future__ import annotations

from gateway.answers import Answer
from gateway.chain import Handler
from gateway.context import RequestContext
from gateway.statuses import status_answer
from kubehop.hop import logs
from kubehop.machinery import status

_log = logs.get()


def wrap(handler: Handler) -> Handler:
    """Return the handler that survives whatever the next ones raise."""

    async def with_panic_recovery(request: RequestContext) -> Answer:
        try:
            return await handler(request)
        except status.StatusError as error:
            return status_answer(request, error)
        except ConnectionError:
            raise  # the client went away: nobody to answer
        except Exception:
            _log.exception(
                "request failed unexpectedly", audit_id=request.audit_id, method=request.method, path=request.path
            )
            return status_answer(request, status.internal_error("the request failed unexpectedly"))

    return with_panic_recovery
