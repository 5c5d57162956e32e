"""Custom resource definitions: their defaults and what counts as a change. They are printed as any other kind."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill, items, part, struct
from kubehop.kinds.strategy import Strategy

Object = dict[str, Any]


class STRATEGY(Strategy):
    """Definitions count the generation of their spec."""

    counts_generation = True

    def default(self, obj: Object) -> None:
        """Fill in the names and the conversion (apiextensions/v1/defaults.go)."""
        spec = struct(obj, "spec")
        accepted = struct(spec, "names")
        fill(accepted, singular=(accepted.get("kind") or "").lower())
        if accepted.get("kind"):
            fill(accepted, listKind=accepted["kind"] + "List")
        fill(struct(spec, "conversion"), strategy="None")
        client = part(spec, "conversion", "webhook", "clientConfig", "service")
        if client is not None:
            fill(client, port=443)

    def on_create(self, obj: Object) -> None:
        """Start with nothing accepted, and with the version that is stored."""
        stored = [version.get("name") for version in items(obj, "spec", "versions") if version.get("storage")]
        obj["status"] = {"storedVersions": [name for name in stored if name]}
