"""How webhook configurations, admission policies and their bindings are printed: mutating and validating are alike."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.printing import AGE, NAME, UNSET, Column, age, at, count, name
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _webhook_cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), count(obj, "webhooks"), age(obj, now)]


WEBHOOKS = Printer(
    columns=(
        NAME,
        Column(
            "Webhooks",
            type="integer",
            description="Webhooks indicates the number of webhooks registered in this configuration",
        ),
        AGE,
    ),
    cells=_webhook_cells,
)


def policies(column: Column, rules: str) -> Printer:
    """Return the printer of policies whose rules are counted in `column` and stand in spec's field `rules`."""

    def cells(obj: Object, now: float) -> list[Any]:
        kind = at(obj, "spec", "paramKind")
        text = UNSET if kind is None else f"{kind.get('apiVersion') or ''}/{kind.get('kind') or ''}"
        return [name(obj), count(obj, "spec", rules), text, age(obj, now)]

    param_kind = Column(
        "ParamKind", description="ParamKind specifies the kind of resources used to parameterize this policy"
    )
    return Printer(columns=(NAME, column, param_kind, AGE), cells=cells)


def _selector(selector: Object) -> str:
    """Return a LabelSelector as Go's generated String method prints it."""
    labels = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{one.get('key') or ''},Operator:{one.get('operator') or ''},"
        f"Values:[{' '.join(one.get('values') or ())}],}},"
        for one in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


def _param(reference: Object | None) -> str:
    if reference is not None:
        if reference.get("name"):
            # whether the parameter has a namespace cannot be told from here
            return f"{reference.get('namespace') or '*'}/{reference['name']}"
        if reference.get("selector") is not None:
            return _selector(reference["selector"])
    return UNSET


def _binding_cells(obj: Object, now: float) -> list[Any]:
    return [
        name(obj),
        at(obj, "spec", "policyName") or "",
        _param(at(obj, "spec", "paramRef")),
        age(obj, now),
    ]


BINDINGS = Printer(
    columns=(
        NAME,
        Column(
            "PolicyName", description="PolicyName indicates the policy definition which the policy binding binded to"
        ),
        Column("ParamRef", description="ParamRef indicates the param resource which sets the configration param"),
        AGE,
    ),
    cells=_binding_cells,
)
