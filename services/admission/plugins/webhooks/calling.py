"""What both plugins do with a hook: ask it, pass on what it says, and raise its refusal.

Base of `mutating` and `validating`.
"""

from __future__ import annotations

from typing import Final

from kubehop.machinery import status
from kubehop.pb.admission.v1 import Operation
from services.admission.attributes import CONNECT, CREATE, DELETE, UPDATE, Attributes
from services.admission.cluster import Cluster
from services.admission.lookup import Lookup
from services.admission.plugins.webhooks import reviews
from services.admission.plugins.webhooks.calls import Caller
from services.admission.plugins.webhooks.hooks import Hooks
from services.admission.plugins.webhooks.matching import Invocation, Matcher
from services.admission.plugins.webhooks.reviews import Answer

_OPERATIONS: Final = frozenset({CREATE, UPDATE, DELETE, CONNECT})


class Calling:
    """The common part of the two plugins."""

    def __init__(self, cluster: Cluster, resource: str, caller: Caller) -> None:
        self._hooks = Hooks(cluster, resource)
        self._matcher = Matcher(Lookup.of(cluster, "", "namespaces"))
        self._caller = caller

    def handles(self, operation: Operation) -> bool:
        """Every operation."""
        return operation in _OPERATIONS

    def concerns(self, group: str, resource: str, subresource: str) -> bool:  # noqa: ARG002 - the Protocol's form
        """Everything: the rules of the hooks say more, and they change."""
        return True

    async def _ask(self, invocation: Invocation, attributes: Attributes, *, mutating: bool) -> Answer:
        """Call a hook. CallError where it does not answer properly, StatusError where it refuses."""
        hook = invocation.hook
        if attributes.dry_run and not hook.supports_dry_run:
            raise status.bad_request(f'admission webhook "{hook.name}" does not support dry run')
        question = reviews.question(invocation, attributes)
        answer = reviews.answer(hook, question, await self._caller.call(hook, question), mutating=mutating)
        for key, value in answer.annotations.items():
            attributes.annotations[f"{hook.name}/{key}"] = value
        for text in answer.warnings:
            attributes.warn(text)
        if not answer.allowed:
            raise reviews.refusal(hook, answer.status)
        return answer
