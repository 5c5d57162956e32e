"""The exchanges that are known to differ, each with its reason: known.yaml read, checked against a run, made a page.

Called by `tests.conformance`; `python -m tests.conformance.known` writes docs/conformance.md anew.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml

HERE = Path(__file__).resolve().parent
KNOWN = HERE / "known.yaml"
PAGE = HERE.parents[1] / "docs" / "conformance.md"


class Played(Protocol):
    """What a run found out about a scenario or an area."""

    total: int
    equal: int
    codes: int
    different: set[str]


def read() -> dict[str, Any]:
    """Return known.yaml: `finished` areas, and `known` reasons with their exchanges."""
    found: dict[str, Any] = yaml.safe_load(KNOWN.read_text())
    return found


def exchanges(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the entry of each exchange that is known to differ."""
    return {name: entry for entry in document["known"] for name in entry["exchanges"]}


def unexpected(scenarios: Mapping[str, Played], areas: Iterable[str]) -> list[str]:
    """Say which exchanges a run found different, or equal, against what known.yaml says."""
    document = read()
    entries = exchanges(document)
    different = {name for score in scenarios.values() for name in score.different}
    finished = [area for area in document["finished"] if area in areas]
    problems = [
        f"differs and is not in known.yaml: {name}"
        for name in sorted(different - entries.keys())
        if name.partition("/")[0].partition("-")[0] in finished
    ]
    return problems + [
        f"is equal now, take it out of known.yaml: {name}"
        for name, entry in sorted(entries.items())
        if name.partition("/")[0] in scenarios and name not in different and not entry.get("sometimes")
    ]


def render(areas: Mapping[str, Played] | None = None) -> None:
    """Write docs/conformance.md; without figures the table that it has stays."""
    document = read()
    table = _table(areas) if areas else _present_table()
    lines = [
        "# Conformance",
        "",
        "`make conformance` plays recorded exchanges of kube-apiserver v1.36.2 against a kubehop of its own and",
        "compares every answer: status, headers that clients read, body, each event of a watch. An exchange is equal",
        "when nothing differs but what must (times, uids, versions).",
        "",
        *table,
        "",
        "## Exchanges that differ, and why",
        "",
        f"Complete for these areas: {', '.join(document['finished'])}. The run fails when another exchange of theirs",
        "differs and when a listed one is equal. The list is `tests/conformance/known.yaml`, and this page is made of",
        "it by `python -m tests.conformance.known`.",
        "",
    ]
    for entry in document["known"]:
        lines += [*textwrap.wrap(entry["reason"], 118, initial_indent="- ", subsequent_indent="  "), ""]
        lines += [*(f"    - `{name}`" for name in entry["exchanges"]), ""]
    if not document["known"]:
        lines.append("None.")
    PAGE.write_text("\n".join(lines).strip() + "\n")


def _table(areas: Mapping[str, Played]) -> list[str]:
    rows = ["| area | exchanges | equal | same status code |", "| --- | --- | --- | --- |"]
    for name, score in areas.items():
        share, codes = (100 * part / max(score.total, 1) for part in (score.equal, score.codes))
        rows.append(f"| {name} | {score.total} | {share:.1f} % | {codes:.1f} % |")
    return rows


def _present_table() -> list[str]:
    if not PAGE.exists():
        return []
    return [line for line in PAGE.read_text().splitlines() if line.startswith("|")]


if __name__ == "__main__":
    render()
