"""MutatingAdmissionWebhook: asks one hook after the other and applies the patches that they answer with.

Where a patch changed the object, the mutating phase walks once more, and hooks that want to see the object again are
asked again. apiserver: pkg/admission/plugin/webhook/mutating/dispatcher.go and reinvocationcontext.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from kubehop.hop import logs
from kubehop.machinery import status
from kubehop.machinery.objects import GroupVersionKind, Object, deep_copy
from kubehop.machinery.patch import json_patch
from services.admission.attributes import Attributes
from services.admission.cluster import Cluster
from services.admission.plugin import Change
from services.admission.plugins.webhooks import reviews
from services.admission.plugins.webhooks.calling import Calling
from services.admission.plugins.webhooks.calls import Caller
from services.admission.plugins.webhooks.errors import CallError
from services.admission.plugins.webhooks.hooks import Hook
from services.admission.plugins.webhooks.matching import Invocation, is_exempt
from services.admission.plugins.webhooks.reviews import Answer

FAILED_OPEN: Final = "failed-open.mutation.webhook.admission.k8s.io/"
MUTATION: Final = "mutation.webhook.admission.k8s.io/"
PATCH: Final = "patch.webhook.admission.k8s.io/"


@dataclass(slots=True)
class _Rounds:
    """What one walk tells the next."""

    output: Object | None = None
    """The object as the hooks left it."""
    invoked: set[tuple[str, int]] = field(default_factory=set)
    """Hooks that were asked since the last change and want to see later ones."""
    due: set[tuple[str, int]] = field(default_factory=set)
    """Hooks that are to be asked again."""

    def changed(self) -> None:
        """Somebody changed the object: those asked before are due again."""
        self.due |= self.invoked
        self.invoked = set()


class MutatingAdmissionWebhook(Calling):
    """See the module."""

    name: Final = "MutatingAdmissionWebhook"

    def __init__(self, cluster: Cluster, caller: Caller) -> None:
        super().__init__(cluster, "mutatingwebhookconfigurations", caller)

    async def admit(self, attributes: Attributes) -> Change | None:
        """Ask the hooks; the object may be another one afterwards. StatusError refuses."""
        hooks = self._hooks.current()
        if not hooks or is_exempt(attributes):
            return None
        reinvocation = attributes.reinvocation
        rounds: _Rounds = reinvocation.kept.setdefault(self.name, _Rounds())
        if reinvocation.running and rounds.output is not None and rounds.output != attributes.object:
            rounds.changed()
        changed_by: list[str] = []
        for index, hook in enumerate(hooks):
            invocation = await self._matcher.match(hook, attributes)
            if invocation is None or (reinvocation.running and hook.identity not in rounds.due):
                continue
            if await self._invoke(invocation, attributes, index):
                changed_by.append(hook.name)
                rounds.changed()
                reinvocation.wanted = True
            if hook.reinvocable:
                rounds.invoked.add(hook.identity)
        if attributes.raw:
            rounds.output = deep_copy(attributes.object) if reinvocation.wanted else None
        return Change(f"patched by {', '.join(changed_by)}") if changed_by else None

    async def _invoke(self, invocation: Invocation, attributes: Attributes, index: int) -> bool:
        """Ask one hook and apply its patch; says whether that changed the object."""
        hook = invocation.hook
        place = f"round_{int(attributes.reinvocation.running)}_index_{index}"
        changed = False
        try:
            answer = await self._ask(invocation, attributes, mutating=True)
            changed = self._patch(invocation, attributes, answer, place)
        except CallError as error:
            if not hook.fails_open:
                raise status.internal_error(str(error)) from error
            logs.get().warning("webhook failed, failing open", webhook=hook.name, because=str(error))
            attributes.annotations[FAILED_OPEN + place] = hook.name
        finally:
            said = {"configuration": hook.configuration, "webhook": hook.name, "mutated": changed}
            attributes.annotations[MUTATION + place] = orjson.dumps(said).decode()
        return changed

    @staticmethod
    def _patch(invocation: Invocation, attributes: Attributes, answer: Answer, place: str) -> bool:
        hook = invocation.hook
        if not answer.patch:
            return False
        operations = _operations(hook, answer.patch)
        if not operations:
            return False
        if not attributes.raw:
            raise status.internal_error(
                f'admission webhook "{hook.name}" attempted to modify the object, which is not supported for this'
                " operation"
            )
        if answer.patch_type != "JSONPatch":
            raise CallError(hook.name, f'unsupported patch type "{answer.patch_type}"')
        asked = attributes.request_kind
        seen = reviews.translated(attributes.object, attributes, invocation.kind.api_version)
        try:
            patched = json_patch.apply(seen, operations)
        except json_patch.JsonPatchError as error:
            raise status.internal_error(str(error)) from error
        made = _in_normal_form(patched, invocation, attributes)
        attributes.annotations[PATCH + place] = orjson.dumps(
            {
                "configuration": hook.configuration,
                "webhook": hook.name,
                "patch": operations,
                "patchType": answer.patch_type,
            }
        ).decode()
        made = reviews.translated(made, attributes, asked.api_version)
        if made == attributes.object:
            return False
        attributes.replace(made)
        return True


def _operations(hook: Hook, patch: bytes) -> list[Any]:
    try:
        operations = orjson.loads(patch)
        problem = "json: cannot unmarshal object into Go value of type jsonpatch.Patch"
    except ValueError as error:
        operations, problem = None, str(error)
    if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
        raise CallError(hook.name, f"received undecodable patch in webhook response: {problem}")
    return operations


def _in_normal_form(patched: Any, invocation: Invocation, attributes: Attributes) -> Object:
    """A patched object read as its kind: what the kind does not know is dropped, defaults are filled in.

    What cannot be read as the kind is an error, and no failure policy helps (as in kube-apiserver).
    """
    from kubehop.kinds import catalogue
    from kubehop.kinds.schemas import schema_for
    from kubehop.kinds.strategy import strategy_for
    from kubehop.machinery import decoding

    kind = invocation.kind
    if not isinstance(patched, dict):
        raise status.internal_error("the patched object is no object")
    stated = (patched.get("apiVersion"), patched.get("kind"))
    if stated != (kind.api_version, kind.kind):
        raise status.internal_error(
            f"the patched object is {stated[0]}, Kind={stated[1]}, not {kind.api_version}, Kind={kind.kind}"
        )
    try:
        schema = schema_for(kind.group, kind.version, kind.kind)
    except KeyError:
        return patched
    try:
        made: Object = decoding.decode_value(schema, patched).value
    except ValueError as error:
        raise status.internal_error(str(error)) from error
    made = decoding.with_type(made, GroupVersionKind(kind.group, kind.version, kind.kind))
    row = catalogue.lookup_kind(kind.group, kind.version, kind.kind)
    if row is not None and not attributes.subresource:
        strategy_for(row).default(made)
    return made
