"""CPU time and memory of a process tree, read from /proc: what a benchmark charges to each process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

TICK_US = 1_000_000 // os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process of the pipeline."""

    pid: int
    name: str

    def cpu_us(self) -> int:
        """User and system time so far, microseconds."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * TICK_US

    def memory_kib(self) -> tuple[int, int]:
        """Resident set and proportional set size; the latter counts shared pages once over all processes."""
        values = {}
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            parts = line.split()
            if parts[0] in {"Rss:", "Pss:"}:
                values[parts[0]] = int(parts[1])
        return values["Rss:"], values["Pss:"]


def name_of(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    text = [w.decode() for w in words if w]
    if "-m" in text:
        return text[text.index("-m") + 1].removeprefix("services.")
    if Path(text[0]).name == "etcd":
        return "etcd"
    return "supervisor"


def tree(root: int) -> list[Process]:
    """The process `root` and all its descendants, parents first."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:  # gone since
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop(0)
        found.append(Process(pid, name_of(pid)))
        waiting += sorted(parents.get(pid, []))
    return found


class Meter:
    """CPU spent by each process between two looks."""

    def __init__(self, processes: list[Process]) -> None:
        self.processes = processes
        self.before = {p.pid: p.cpu_us() for p in processes}

    def spent_us(self) -> dict[str, int]:
        spent: dict[str, int] = {}
        for process in self.processes:
            spent[process.name] = spent.get(process.name, 0) + process.cpu_us() - self.before[process.pid]
        return spent
