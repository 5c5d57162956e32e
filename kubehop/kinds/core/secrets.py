"""Secrets: how they are printed, their type, and how they become immutable."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from kubehop.kinds.defaulting import fill
from kubehop.kinds.printing import AGE, NAME, age, at, count, documented, name
from kubehop.kinds.strategy import CHANGES_FIRST, Strategy
from kubehop.kinds.validation import Errors, data_keys, frozen
from kubehop.machinery import fields, gojson
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _cells(obj: Object, now: float) -> list[Any]:
    return [name(obj), obj.get("type") or "", count(obj, "data"), age(obj, now)]


PRINTER = Printer(
    columns=(NAME, documented("Type", "core.v1.Secret.type"), documented("Data", "core.v1.Secret.data"), AGE),
    cells=_cells,
)


_REDACTED = "<secret contents redacted>"
_MAX_BYTES = 1024 * 1024
_REQUIRED_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_ACCOUNT_NAME = "kubernetes.io/service-account.name"


class STRATEGY(Strategy):
    """Secrets take texts besides bytes, and their type stays."""

    update_steps = CHANGES_FIRST

    def default(self, obj: Object) -> None:
        """Name the type, and turn texts into bytes: they come in only."""
        fill(obj, type="Opaque")
        texts = obj.pop("stringData", None)
        if texts:
            data = obj.setdefault("data", {})
            data.update({key: base64.b64encode(text.encode()).decode() for key, text in texts.items()})

    def on_update(self, new: Object, old: Object) -> None:
        """Keep the type where none is given."""
        if not new.get("type"):
            new["type"] = old.get("type")

    def check(self, obj: Object) -> Errors:
        """Check keys, size, and what the type wants (ValidateSecret)."""
        data: Object = obj.get("data") or {}
        yield from data_keys(obj, "data")
        if sum(len(value) * 3 // 4 - value.count("=") for value in data.values()) > _MAX_BYTES:
            yield fields.too_long(fields.Path("data"), _MAX_BYTES)
        kind = obj.get("type") or ""
        for key in _REQUIRED_KEYS.get(kind, ()):
            if key not in data or (kind == "kubernetes.io/ssh-auth" and not data[key]):
                yield fields.required(fields.Path("data").key(key))
        if kind.startswith("kubernetes.io/dockerc"):
            yield from _json(data, _REQUIRED_KEYS.get(kind, ()))
        if kind == "kubernetes.io/basic-auth" and "username" not in data and "password" not in data:
            yield fields.required(fields.Path("data").key("username"))
            yield fields.required(fields.Path("data").key("password"))
        account = (at(obj, "metadata", "annotations") or {}).get(_ACCOUNT_NAME)
        if kind == "kubernetes.io/service-account-token" and not account:
            yield fields.required(fields.Path("metadata", "annotations").key(_ACCOUNT_NAME))

    def check_update(self, new: Object, old: Object) -> Errors:
        """Keep the type, and an immutable one as it is."""
        if new.get("type") != old.get("type"):
            yield fields.immutable(fields.Path("type"), new.get("type"))
        yield from frozen(new, old, "data")


def _json(data: Object, keys: Iterable[str]) -> Errors:
    """Want JSON objects, without showing what is there instead."""
    for key in keys:
        if key not in data:
            continue
        try:
            found = gojson.loads_exact(base64.b64decode(data[key]))
        except ValueError as error:
            yield fields.invalid(fields.Path("data").key(key), _REDACTED, str(error))
            continue
        if not isinstance(found, dict) and found is not None:
            text = f"json: cannot unmarshal {_kind(found)} into Go value of type map[string]interface {{}}"
            yield fields.invalid(fields.Path("data").key(key), _REDACTED, text)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "number"
