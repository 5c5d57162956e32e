"""One request judged against the quotas of its namespace as they stand: refused, or what it would be charged.

Pure; called by `ledger` for each request and again when a quota has changed meanwhile. Source of the behaviour:
apiserver pkg/admission/plugin/resourcequota/controller.go, CheckRequest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kubehop.machinery import status
from kubehop.machinery.objects import Object, metadata, resource_version
from kubehop.machinery.quantity import Quantity
from services.admission.attributes import UPDATE, Attributes
from services.admission.plugin import forbidden
from services.admission.plugins.resource_quota import usage
from services.admission.plugins.resource_quota.evaluators import Evaluator, Requirement
from services.admission.plugins.resource_quota.usage import Usage
from services.admission.pod_resources import amounts


@dataclass(frozen=True, slots=True)
class Limited:
    """A resource of which nothing may be used unless a quota covers it (LimitedResource of the configuration)."""

    group: str
    resource: str
    match_contains: tuple[str, ...] = ()
    match_scopes: tuple[Requirement, ...] = ()


@dataclass(slots=True)
class Account:
    """A quota as it stands, with what has been charged to it here and is not written yet."""

    obj: Object
    hard: dict[str, Quantity] = field(init=False)
    used: dict[str, Quantity] = field(init=False)

    def __post_init__(self) -> None:
        standing = self.obj.get("status") or {}
        self.hard = amounts(standing.get("hard"))
        self.used = amounts(standing.get("used"))

    @property
    def name(self) -> str:
        """The name of the quota."""
        name: str = metadata(self.obj)["name"]
        return name

    @property
    def requirements(self) -> list[Requirement]:
        """What an object has to meet to be counted."""
        spec = self.obj.get("spec") or {}
        exist: list[Requirement] = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
        return exist + list((spec.get("scopeSelector") or {}).get("matchExpressions") or ())

    def matches(self, evaluator: Evaluator, obj: Object) -> bool:
        """Whether the object is counted by this quota."""
        return bool(evaluator.matching(self.hard)) and all(
            evaluator.in_scope(requirement, obj) for requirement in self.requirements
        )


@dataclass(frozen=True, slots=True)
class Question:
    """A request and who knows what its object uses."""

    attributes: Attributes
    evaluator: Evaluator
    limited: Sequence[Limited] = ()

    def charges(self, accounts: Sequence[Account]) -> dict[str, Usage]:
        """What each quota, by name, would be charged. Raises the refusal; changes nothing."""
        attributes, evaluator = self.attributes, self.evaluator
        obj = attributes.object
        interested = self._interested(accounts, obj)
        asked = evaluator.usage(obj)
        if negative := [name for name, amount in asked.items() if amount.sign < 0]:
            raise forbidden(attributes, f"quota usage is negative for resource(s): {usage.names(negative)}")
        deltas = self._deltas(interested, asked)
        if not deltas:
            return {}
        self._check_covered(accounts, interested, asked)
        charges: dict[str, Usage] = {}
        for account in interested:
            delta = usage.masked(deltas.get(account.name, {}), account.hard)
            if delta:
                self._check_fits(account, delta)
                charges[account.name] = delta
        return charges

    def _interested(self, accounts: Sequence[Account], obj: Object) -> list[Account]:
        """The quotas that count the object; refused where they cannot."""
        attributes, evaluator = self.attributes, self.evaluator
        interested = []
        for account in accounts:
            if not account.matches(evaluator, obj):
                continue
            restricted = evaluator.matching(account.hard)
            if missing := evaluator.missing(restricted, obj):
                raise forbidden(attributes, f"failed quota: {account.name}: {missing}")
            if any(name not in account.used for name in restricted):
                raise forbidden(
                    attributes, f"status unknown for quota: {account.name}, resources: {usage.names(restricted)}"
                )
            interested.append(account)
        return interested

    def _deltas(self, interested: Sequence[Account], asked: Usage) -> dict[str, Usage]:
        """What is used more than before, by quota; under "" where no quota counts the object."""
        deltas: dict[str, Usage] = {account.name: asked for account in interested}
        if not interested:
            deltas[""] = asked
        if self.attributes.operation == UPDATE:
            old = self.attributes.old_object
            if not old:
                raise forbidden(
                    self.attributes, "unable to get previous usage since prior version of object was not found"
                )
            if resource_version(old):
                delta = usage.minus(asked, self.evaluator.usage(old))
                for account in interested:
                    if account.matches(self.evaluator, old):
                        deltas[account.name] = delta
                if not interested:
                    deltas[""] = delta
        return {name: left for name, delta in deltas.items() if (left := usage.nonzero(delta))}

    def _check_covered(self, accounts: Sequence[Account], interested: Sequence[Account], asked: Usage) -> None:
        """Refuse what is limited by configuration and covered by no quota."""
        attributes, evaluator = self.attributes, self.evaluator
        limited = [one for one in self.limited if (one.group, one.resource) == (attributes.group, attributes.resource)]
        wanted = {
            name
            for one in limited
            for name, amount in asked.items()
            if amount.sign > 0 and any(part in name for part in one.match_contains)
        }
        covered = {name for account in interested for name in evaluator.matching(account.hard)}
        if uncovered := wanted - covered:
            raise forbidden(attributes, f"insufficient quota to consume: {usage.names(uncovered)}")
        obj = attributes.object
        scopes = [scope for one in limited for scope in one.match_scopes if evaluator.in_scope(scope, obj)]
        have = {
            requirement.get("scopeName")
            for account in accounts
            for requirement in account.requirements
            if evaluator.in_scope(requirement, obj)
        }
        if open_scopes := [scope for scope in scopes if scope.get("scopeName") not in have]:
            printed = " ".join(
                f"{{{scope.get('scopeName', '')} {scope.get('operator', '')} [{' '.join(scope.get('values') or ())}]}}"
                for scope in open_scopes
            )
            raise status.unknown(f"insufficient quota to match these scopes: [{printed}]", 403)

    def _check_fits(self, account: Account, delta: Usage) -> None:
        if self.attributes.subresource == "status":
            return
        after = usage.masked(usage.plus(account.used, delta), delta)
        if over := usage.exceeding(after, account.hard):
            raise forbidden(
                self.attributes,
                f"exceeded quota: {account.name}, requested: {usage.printed(usage.masked(delta, over))},"
                f" used: {usage.printed(usage.masked(account.used, over))},"
                f" limited: {usage.printed(usage.masked(account.hard, over))}",
            )
