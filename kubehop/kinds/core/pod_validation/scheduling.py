"""Where a pod may run: node selectors, affinities, spreading, tolerations, gates. Nodes and volumes select so too."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import POSITIVE, label, label_selector, obeys, qualified
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NO_OPERATOR = "not a valid selector operator"
_ACTIONS = ("DoNotSchedule", "ScheduleAnyway")
_POLICIES = ("Honor", "Ignore")
_IN_BOTH = "exists in both matchLabelKeys and labelSelector"


def affinity(path: Path, found: Object) -> Errors:
    """Check affinities to nodes and to other pods (validateAffinity)."""
    node = found.get("nodeAffinity")
    if node is not None:
        at = path.child("nodeAffinity")
        if node.get(_REQUIRED) is not None:
            yield from node_selector(at.child(_REQUIRED), node[_REQUIRED])
        for index, term in enumerate(node.get(_PREFERRED) or ()):
            yield from _weight(at.child(_PREFERRED).index(index), term)
            # labels that no node can have are let be: the preference is met by nobody
            preference = at.child(_PREFERRED).index(index).child("preference")
            yield from node_selector_term(preference, term.get("preference") or {}, any_value=True)
    for name in ("podAffinity", "podAntiAffinity"):
        if (pods := found.get(name)) is not None:
            yield from _pod_affinity(path.child(name), pods)


def _weight(path: Path, term: Object) -> Errors:
    weight = term.get("weight") or 0
    if not 0 < weight <= 100:
        yield fields.invalid(path.child("weight"), weight, "must be in the range 1-100")


def _pod_affinity(path: Path, found: Object) -> Errors:
    for index, term in enumerate(found.get(_REQUIRED) or ()):
        yield from _pod_term(path.child(_REQUIRED).index(index), term)
    for index, term in enumerate(found.get(_PREFERRED) or ()):
        at = path.child(_PREFERRED).index(index)
        yield from _weight(at, term)
        yield from _pod_term(at.child("podAffinityTerm"), term.get("podAffinityTerm") or {})


def _pod_term(path: Path, term: Object) -> Errors:
    selector = term.get("labelSelector")
    yield from label_selector(path.child("labelSelector"), selector)
    yield from label_selector(path.child("namespaceSelector"), term.get("namespaceSelector"))
    for namespace in term.get("namespaces") or ():
        yield from label(path.child("namespace"), namespace)
    matched, mismatched = term.get("matchLabelKeys") or (), term.get("mismatchLabelKeys") or ()
    yield from _label_keys(path.child("matchLabelKeys"), matched, selector)
    yield from _label_keys(path.child("mismatchLabelKeys"), mismatched, selector)
    if selector is not None:
        seen = set(selector.get("matchLabels") or ())
        for requirement in selector.get("matchExpressions") or ():
            key = requirement.get("key") or ""
            if key in matched and key in seen:
                yield fields.invalid(path.index(matched.index(key)), key, _IN_BOTH)
            seen.add(key)
    for index, key in enumerate(matched):
        if key in mismatched:
            text = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield fields.invalid(path.child("matchLabelKeys").index(index), key, text)
    topology = term.get("topologyKey") or ""
    if not topology:
        yield fields.required(path.child("topologyKey"), "can not be empty")
    yield from qualified(path.child("topologyKey"), topology)


def _label_keys(path: Path, keys: list[str] | tuple[()], selector: Object | None) -> Errors:
    if keys and selector is None:
        yield fields.forbidden(path, "must not be specified when labelSelector is not set")
        return
    for index, key in enumerate(keys):
        yield from qualified(path.index(index), key)


def node_selector(path: Path, selector: Object) -> Errors:
    """Check a choice of nodes (ValidateNodeSelector)."""
    terms = selector.get("nodeSelectorTerms")
    if not terms:
        yield fields.required(path.child("nodeSelectorTerms"), "must have at least one node selector term")
        return
    for index, term in enumerate(terms):
        yield from node_selector_term(path.child("nodeSelectorTerms").index(index), term)


def node_selector_term(path: Path, term: Object, *, any_value: bool = False) -> Errors:
    """Check one way to be chosen (ValidateNodeSelectorTerm); `any_value` lets values be that no label can have."""
    for index, requirement in enumerate(term.get("matchExpressions") or ()):
        yield from _node_label(path.child("matchExpressions").index(index), requirement, any_value=any_value)
    for index, requirement in enumerate(term.get("matchFields") or ()):
        yield from _node_field(path.child("matchFields").index(index), requirement)


def _node_label(path: Path, requirement: Object, *, any_value: bool) -> Errors:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    match operator:
        case "In" | "NotIn":
            if not values:
                yield fields.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'")
        case "Exists" | "DoesNotExist":
            if values:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield fields.forbidden(path.child("values"), text)
        case "Gt" | "Lt":
            if len(values) != 1:
                text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                yield fields.required(path.child("values"), text)
        case _:
            yield fields.invalid(path.child("operator"), operator, _NO_OPERATOR)
    yield from qualified(path.child("key"), requirement.get("key") or "")
    if not any_value:
        for index, value in enumerate(values):
            yield from obeys(path.child("values").index(index), value, names.label_value)


def _node_field(path: Path, requirement: Object) -> Errors:
    operator, values = requirement.get("operator") or "", requirement.get("values") or ()
    if operator not in ("In", "NotIn"):
        yield fields.invalid(path.child("operator"), operator, _NO_OPERATOR)
    elif len(values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield fields.required(path.child("values"), text)
    key = requirement.get("key") or ""
    if key != "metadata.name":
        yield fields.invalid(path.child("key"), key, "not a valid field selector key")
        return
    for index, value in enumerate(values):
        yield from obeys(path.child("values").index(index), value, names.dns1123_subdomain)


def tolerations(path: Path, found: list[Object]) -> Errors:
    """Check which taints of nodes are borne (ValidateTolerations)."""
    for index, toleration in enumerate(found):
        at = path.index(index)
        key, operator = toleration.get("key") or "", toleration.get("operator") or ""
        value, effect = toleration.get("value") or "", toleration.get("effect") or ""
        if key:
            for message in names.qualified_name(key):
                yield fields.invalid(at.child("key"), key, message)
        elif operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield fields.invalid(at.child("operator"), operator, text)
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield fields.invalid(at.child("effect"), effect, text)
        if operator in ("", "Equal"):
            if value and (messages := names.label_value(value)):
                yield fields.invalid(at.child("operator"), value, ";".join(messages))
        elif operator != "Exists":
            yield fields.not_supported(at.child("operator"), operator, ("Equal", "Exists"))
        elif value:
            yield fields.invalid(at.child("operator"), value, "value must be empty when `operator` is 'Exists'")
        if effect and effect not in _EFFECTS:
            yield fields.not_supported(at.child("effect"), effect, _EFFECTS)


def gates(path: Path, found: list[Object]) -> Errors:
    """Check what holds a pod back from being scheduled (validateSchedulingGates)."""
    seen: set[str] = set()
    for index, gate in enumerate(found):
        name = gate.get("name") or ""
        yield from qualified(path.index(index), name)
        if name in seen:
            yield fields.duplicate(path.index(index), name)
        seen.add(name)


def spreading(path: Path, found: list[Object]) -> Errors:
    """Check how pods are spread over nodes (validateTopologySpreadConstraints)."""
    for index, constraint in enumerate(found):
        at = path.index(index)
        topology, action = constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""
        skew = constraint.get("maxSkew") or 0
        if skew <= 0:
            yield fields.invalid(at.child("maxSkew"), skew, POSITIVE)
        if not topology:
            yield fields.required(at.child("topologyKey"), "can not be empty")
        if action not in _ACTIONS:
            yield fields.not_supported(at.child("whenUnsatisfiable"), action, _ACTIONS)
        others = found[index + 1 :]
        if any((topology, action) == (one.get("topologyKey"), one.get("whenUnsatisfiable")) for one in others):
            yield fields.duplicate(at.child("{topologyKey, whenUnsatisfiable}"), f"{{{topology}, {action}}}")
        yield from _domains(at.child("minDomains"), constraint.get("minDomains"), action)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            policy = constraint.get(name)
            if policy is not None and policy not in _POLICIES:
                yield fields.not_supported(at.child(name), policy, _POLICIES)
        yield from _spreading_keys(at.child("matchLabelKeys"), constraint)
        yield from label_selector(at.child("labelSelector"), constraint.get("labelSelector"))


def _domains(path: Path, number: int | None, action: str) -> Errors:
    if number is None:
        return
    if number <= 0:
        yield fields.invalid(path, number, POSITIVE)
    if action != "DoNotSchedule":
        text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        yield fields.invalid(path, number, text)


def _spreading_keys(path: Path, constraint: Object) -> Errors:
    keys, selector = constraint.get("matchLabelKeys"), constraint.get("labelSelector")
    if not keys:
        return
    selected: set[str] = set()
    if selector is None:
        yield fields.forbidden(path, "must not be specified when labelSelector is not set")
    else:
        selected.update(selector.get("matchLabels") or ())
        selected.update(one.get("key") or "" for one in selector.get("matchExpressions") or ())
    for index, key in enumerate(keys):
        yield from qualified(path.index(index), key)
        if key in selected:
            yield fields.invalid(path.index(index), key, _IN_BOTH)
