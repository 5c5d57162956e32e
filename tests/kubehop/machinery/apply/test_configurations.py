"""Configurations that people did not mean: refused in structured merge's words, or merged; nothing else happens."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubehop.machinery.objects import Object
from kubehop.machinery.status import StatusError
from tests.kubehop.machinery.apply.test_invariants import MANAGER, NOW, apply, configurations

_NAMES = st.sampled_from([
    "spec", "template", "metadata", "labels", "containers", "name", "env", "ports", "containerPort", "finalizers",
    "ownerReferences", "uid", "status", "conditions", "type", "replicas", "managedFields", "", "x",
])  # fmt: skip
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=15,
)


@given(configurations(), st.dictionaries(_NAMES, _ANYTHING, max_size=3), st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_configuration_breaks_it(live: Object, fields: dict[str, Any], force: bool) -> None:
    """Any configuration is applied or refused."""
    base = apply(None, live, "other")
    config = {**fields, "apiVersion": "apps/v1", "kind": "Deployment"}
    if not isinstance(config.get("metadata"), dict):
        config["metadata"] = {"name": "x"}  # the verb has read it as an object with metadata
    with contextlib.suppress(StatusError):
        MANAGER.apply(copy.deepcopy(base), config, "me", NOW, force=force)


def test_a_key_that_go_never_leaves_out() -> None:
    """A container without a name is one named "", beside the others; validation tells of it later."""
    live = apply(None, _deployment({"name": "web", "image": "a"}), "other")
    merged = apply(live, _deployment({"image": "b"}), "me")
    assert merged["spec"]["template"]["spec"]["containers"] == [{"name": "web", "image": "a"}, {"image": "b"}]


def _deployment(*containers: Object) -> Object:
    spec = {"template": {"spec": {"containers": list(containers)}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}
