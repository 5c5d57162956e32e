"""Hold a running kubehop against the recorded answers of kube-apiserver v1.36.2 and print the figure.

    python -m tests.conformance [--server URL] [--markdown FILE] [-v] [AREA-OR-SCENARIO ...]

Without --server a kubehop of its own is started on a free port with a fresh data directory, as the recordings ask
for: the tokens of tokens.csv, Node,RBAC, privileged pods, service range 10.96.0.0/16, no controllers. The areas are
the first words of the scenarios' names. The exit status is 1 when an area falls below the floor in floor.yaml: what
was exact once stays exact; raise the floor with the change that raises the figure (`--write-floor`).

Exchanges that are not equal and have a reason stand in known.yaml. In the areas that it calls finished the run also
fails where another exchange differs, and where one that it lists has become equal. docs/conformance.md is made of it.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.conformance import known, player
from tests.support import up

HERE = Path(__file__).resolve().parent
FLOOR = HERE / "floor.yaml"
MARGIN = 2
"""Exchanges of an area that timing alone may cost."""


@dataclass
class Score:
    """Exchanges of one area or scenario."""

    total: int = 0
    equal: int = 0
    codes: int = 0
    different: set[str] = field(default_factory=set)
    """Names of the exchanges that are not equal, `scenario/step`."""

    def add(self, other: Score) -> None:
        self.different |= other.different
        self.total += other.total
        self.equal += other.equal
        self.codes += other.codes

    def row(self, name: str) -> str:
        share = 100 * self.equal / max(self.total, 1)
        codes = 100 * self.codes / max(self.total, 1)
        return f"| {name} | {self.total} | {self.equal} | {share:.1f} % | {self.codes} | {codes:.1f} % |"


def area_of(scenario: str) -> str:
    return scenario.split("-", 1)[0]


def chosen(names: list[str]) -> list[Path]:
    files = sorted((HERE / "scenarios").glob("*.yaml"))
    if not names:
        return files
    picked = [f for f in files if f.stem in names or area_of(f.stem) in names]
    if not picked:
        print(f"no scenario or area is named {', '.join(names)}", file=sys.stderr)
        raise SystemExit(2)
    return picked


def compare(client: player.Client, file: Path, verbose: bool) -> Score:
    """Play one scenario and print each exchange that is not equal."""
    scenario = yaml.safe_load(file.read_text())
    want = json.loads((HERE / "golden" / f"{file.stem}.json").read_text())
    score = Score(total=len(scenario["steps"]))
    try:
        answers = player.play(client, scenario)
    except (SystemExit, OSError) as error:  # the player gives up where it cannot make a namespace
        print(f"{file.stem}: not played: {error}")
        score.different = {f"{file.stem}/{step['id']}" for step in scenario["steps"]}
        return score
    for step in scenario["steps"]:
        name = step["id"]
        found = player.differences(want[name], answers[name])
        score.codes += want[name]["status"] == answers[name]["status"]
        if not found:
            score.equal += 1
            continue
        score.different.add(f"{file.stem}/{name}")
        print(f"{file.stem}/{name}: {step.get('request') or step.get('watch')}")
        for line in found if verbose else found[:3]:
            print(f"    {line}")
        if len(found) > 3 and not verbose:
            print(f"    (+{len(found) - 3} more)")
    return score


@contextlib.contextmanager
def server(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    with up.running(
        "--token-auth-file",
        str(HERE / "tokens.csv"),
        "--authorization-mode",
        "Node,RBAC",
        "--service-cluster-ip-range",
        "10.96.0.0/16",
        "--allow-privileged=true",
    ) as cluster:
        yield cluster.server


def below_floor(areas: dict[str, Score]) -> list[str]:
    floor = yaml.safe_load(FLOOR.read_text())
    return [
        f"{area}: {score.equal} equal exchanges, the floor is {floor[area]}"
        for area, score in areas.items()
        if score.equal < floor.get(area, 0)
    ]


def write_floor(areas: dict[str, Score]) -> None:
    FLOOR.write_text(
        "# Equal exchanges per area that no change may fall below, less a margin for timing; see __main__.py.\n"
        + yaml.safe_dump({area: max(score.equal - MARGIN, 0) for area, score in areas.items()})
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", help="compare this server instead of starting one")
    parser.add_argument("--markdown", type=Path, help="also write the table of areas here")
    parser.add_argument("--write-floor", action="store_true", help="make today's figures the floor")
    parser.add_argument("-v", "--verbose", action="store_true", help="print every difference, not the first three")
    parser.add_argument("names", nargs="*", help="areas or scenarios; all by default")
    args = parser.parse_args()
    with (HERE / "tokens.csv").open() as file:
        tokens = {row[1]: row[0] for row in csv.reader(file) if row}
    scenarios: dict[str, Score] = {}
    areas: dict[str, Score] = {}
    total = Score()
    with server(args.server) as url:
        client = player.Client(url, tokens)
        for file in chosen(args.names):
            score = compare(client, file, args.verbose)
            scenarios[file.stem] = score
            areas.setdefault(area_of(file.stem), Score()).add(score)
            total.add(score)
    head = "| {} | exchanges | equal | | same status code | |\n| --- | --- | --- | --- | --- | --- |"
    print(head.format("scenario"))
    for name, score in scenarios.items():
        print(score.row(name))
    table = "\n".join([head.format("area"), *(s.row(n) for n, s in areas.items()), total.row("all")])
    print("\n" + table)
    if args.markdown:
        args.markdown.parent.mkdir(parents=True, exist_ok=True)
        args.markdown.write_text(table + "\n")
    if args.write_floor and not args.names:
        write_floor(areas)
        known.render(areas)
        return 0
    whole = not args.names or all(n in areas for n in args.names)
    problems = [f"below the floor: {line}" for line in below_floor(areas)] if whole else []
    problems += known.unexpected(scenarios, areas if whole else {})
    for line in problems:
        print(line, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
