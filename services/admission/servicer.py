"""Speaks `kubehop.admission.v1.Admission`: one phase of the chain per RPC.

Called by the hop's server; hands the request to `chain` and turns the outcome into the answer with its evidence.
"""

from __future__ import annotations

import orjson

from kubehop.hop.calls import Call
from kubehop.machinery.status import StatusError
from kubehop.pb.admission.v1 import (
    DECISION_ALLOWED,
    DECISION_DENIED,
    Denial,
    MutateRequest,
    MutateResponse,
    ValidateRequest,
    ValidateResponse,
)
from services.admission.attributes import Attributes
from services.admission.chain import Chain, Outcome


class AdmissionServicer:
    """The stage's front door."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    async def mutate(self, request: MutateRequest, call: Call) -> MutateResponse:
        """The mutating phase."""
        outcome = await self._chain.mutate(Attributes(request.attributes))
        attributes = outcome.attributes
        response = MutateResponse(
            decision=DECISION_DENIED if outcome.denial else DECISION_ALLOWED,
            warnings=attributes.warnings,
            plugins=outcome.results,
        )
        if outcome.denial is not None:
            response.denial.CopyFrom(_denial(outcome.denied_by, outcome.denial))
        elif outcome.changed:
            response.object = attributes.raw
        if attributes.annotations:
            response.audit_annotations.update(attributes.annotations)
        _log(call, outcome)
        return response

    async def validate(self, request: ValidateRequest, call: Call) -> ValidateResponse:
        """The validating phase."""
        outcome = await self._chain.validate(Attributes(request.attributes))
        attributes = outcome.attributes
        response = ValidateResponse(
            decision=DECISION_DENIED if outcome.denial else DECISION_ALLOWED,
            warnings=attributes.warnings,
            plugins=outcome.results,
        )
        if outcome.denial is not None:
            response.denial.CopyFrom(_denial(outcome.denied_by, outcome.denial))
        if attributes.annotations:
            response.audit_annotations.update(attributes.annotations)
        _log(call, outcome)
        return response


def _denial(plugin: str, error: StatusError) -> Denial:
    details = error.details
    return Denial(
        plugin=plugin,
        code=error.code,
        reason=error.reason,
        message=error.message,
        details=orjson.dumps(details) if details else b"",
        retry_after_seconds=details.get("retryAfterSeconds", 0),
    )


def _log(call: Call, outcome: Outcome) -> None:
    attributes = outcome.attributes
    call.log(
        resource=attributes.resource, namespace=attributes.namespace, verdict="deny" if outcome.denial else "allow"
    )
    if outcome.denial is not None:
        call.log(plugin=outcome.denied_by, why=outcome.denial.message)
    elif outcome.changed:
        call.log(changed=",".join(result.name for result in outcome.results if result.patch))
