"""The list of known differences is about exchanges that exist, says why, and is what the page shows."""

from __future__ import annotations

from types import SimpleNamespace

import yaml

from tests.conformance import known


def score(*different: str) -> SimpleNamespace:
    return SimpleNamespace(total=5, equal=5 - len(different), codes=5, different=set(different))


def test_each_listed_exchange_exists_and_is_explained() -> None:
    """No entry is about a step that was renamed, none goes without a reason, and docs/conformance.md has all."""
    page = known.PAGE.read_text()
    for name, entry in known.exchanges(known.read()).items():
        scenario, _, step = name.partition("/")
        steps = yaml.safe_load((known.HERE / "scenarios" / f"{scenario}.yaml").read_text())["steps"]
        assert step in {one["id"] for one in steps}
        assert entry["reason"].strip()
        assert f"`{name}`" in page


def test_what_a_run_complains_of() -> None:
    """Another difference in a finished area, and a listed exchange that is equal; not what other areas do."""
    listed = next(iter(known.exchanges(known.read())))
    scenario = listed.partition("/")[0]
    as_known = {scenario: score(listed), "crd-anything": score("crd-anything/step")}
    assert known.unexpected(as_known, {"api", "crd"}) == []
    worse = {scenario: score(listed, f"{scenario}/new")}
    assert known.unexpected(worse, {"api"}) == [f"differs and is not in known.yaml: {scenario}/new"]
    better = {scenario: score()}
    assert known.unexpected(better, {"api"}) == [f"is equal now, take it out of known.yaml: {listed}"]
