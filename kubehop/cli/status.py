"""`kubehop status`: every process of a data directory, asked now. Exit status 0 when all are ready, else 1."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from kubehop.cli import options, probe, processes, state
from kubehop.cli.errors import FAILED
from kubehop.cli.plan import Plan

TIMEOUT = 2.0


@click.command("status")
@options.data_dir()
@click.option("--output", "-o", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(directory: state.DataDirectory, output: str) -> int:
    """Show each process: is it ready, how often was it restarted, how much memory, since when, where it listens."""
    found = state.read(directory)
    if found is None or not found.is_running():
        if output == "json":
            print(json.dumps({"running": False, "dataDir": str(directory.root)}))
        else:
            print(f"no kubehop runs in {directory.root}; `kubehop up` starts one")
        return FAILED
    probes = {child.name: child.probe for child in Plan.read(directory.plan).children}
    rows = [_row(child, probes[child.name]) for child in found.children]
    if output == "json":
        print(json.dumps({"running": True, "dataDir": str(directory.root), **_document(found, rows)}, indent=2))
    else:
        _show(found, rows)
    return 0 if all(row["ready"] for row in rows) else FAILED


def _row(child: state.ProcessState, asked: probe.Probe) -> dict[str, Any]:
    reason = probe.check(asked, TIMEOUT) if child.is_running() else (child.last_end or "not started")
    return {
        "name": child.name,
        "pid": child.pid if child.is_running() else None,
        "ready": not reason,
        "reason": reason,
        "restarts": child.restarts,
        "lastEnd": child.last_end,
        "residentBytes": processes.resident_bytes(child.pid) if child.is_running() else 0,
        "uptimeSeconds": round(time.time() - child.since, 1) if child.is_running() else 0.0,
        "address": child.address,
    }


def _document(found: state.State, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "phase": found.phase,
        "server": found.server,
        "pid": found.pid,
        "residentBytes": processes.resident_bytes(found.pid),
        "uptimeSeconds": round(time.time() - found.since, 1),
        "processes": rows,
    }


def _show(found: state.State, rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title, justify in (("PROCESS", "left"), ("PID", "right"), ("READY", "left"), ("RESTARTS", "right")):
        table.add_column(title, justify="right" if justify == "right" else "left", no_wrap=True)
    for title in ("MEMORY", "UPTIME"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("ADDRESS", overflow="fold")
    total = processes.resident_bytes(found.pid)
    table.add_row(
        "kubehop", str(found.pid), found.phase, "", _mebibytes(total), _span(time.time() - found.since), found.server
    )
    for row in rows:
        total += row["residentBytes"]
        ready = "[green]yes[/green]" if row["ready"] else f"[red]no[/red]: {row['reason']}"
        table.add_row(
            row["name"],
            str(row["pid"] or "-"),
            ready,
            str(row["restarts"]),
            _mebibytes(row["residentBytes"]),
            _span(row["uptimeSeconds"]),
            row["address"],
        )
    table.add_row("", "", "", "", _mebibytes(total), "", "", style="dim")
    console = Console()
    if not console.is_terminal:
        console.width = 200  # for grep and awk: no folding
    console.print(table)


def _mebibytes(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"


def _span(seconds: float) -> str:
    """A duration the way kubectl shows ages."""
    whole = int(seconds)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole >= 2 * length:
            return f"{whole // length}{unit}"
    return f"{whole}s"
