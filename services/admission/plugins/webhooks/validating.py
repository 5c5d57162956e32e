"""ValidatingAdmissionWebhook: asks every hook that a request concerns, all at once, and refuses with the first no.

apiserver: pkg/admission/plugin/webhook/validating/dispatcher.go.
"""

from __future__ import annotations

import asyncio
from typing import Final

from kubehop.hop import logs
from kubehop.machinery import status
from kubehop.machinery.status import StatusError
from services.admission.attributes import Attributes
from services.admission.cluster import Cluster
from services.admission.plugins.webhooks.calling import Calling
from services.admission.plugins.webhooks.calls import Caller
from services.admission.plugins.webhooks.errors import CallError
from services.admission.plugins.webhooks.matching import Invocation, is_exempt

FAILED_OPEN: Final = "failed-open.validating.webhook.admission.k8s.io/"


class ValidatingAdmissionWebhook(Calling):
    """See the module."""

    name: Final = "ValidatingAdmissionWebhook"

    def __init__(self, cluster: Cluster, caller: Caller) -> None:
        super().__init__(cluster, "validatingwebhookconfigurations", caller)

    async def validate(self, attributes: Attributes) -> None:
        """Ask the hooks; StatusError with the first refusal."""
        hooks = self._hooks.current()
        if not hooks or is_exempt(attributes):
            return
        found = [invocation for hook in hooks if (invocation := await self._matcher.match(hook, attributes))]
        if not found:
            return
        refusals: list[StatusError] = []

        async def ask(invocation: Invocation, index: int) -> None:
            try:
                await self._ask(invocation, attributes, mutating=False)
            except StatusError as refusal:
                refusals.append(refusal)
            except CallError as error:
                hook = invocation.hook
                if not hook.fails_open:
                    refusals.append(status.internal_error(str(error)))
                    return
                logs.get().warning("webhook failed, failing open", webhook=hook.name, because=str(error))
                attributes.annotations[f"{FAILED_OPEN}round_0_index_{index}"] = hook.name

        if len(found) == 1:
            await ask(found[0], 0)
        else:
            await asyncio.gather(*(ask(invocation, index) for index, invocation in enumerate(found)))
        if refusals:
            raise refusals[0]
