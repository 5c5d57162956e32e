"""`kubehop pki`: makes the keys and certificates, renews those that are due, and shows all with their expiry."""

from __future__ import annotations

import time
from pathlib import Path

import click

from kubehop.cli import credentials, options, state
from kubehop.cli.errors import CommandError


@click.command("pki")
@options.data_dir()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Another directory than <data-dir>/pki.")
@click.option("--san", "names", multiple=True, metavar="NAME", help="Further host name or address of the gateway.")
@click.option("--service-cluster-ip-range", default="10.96.0.0/16", show_default=True, help="Addresses of Services.")
@click.option("--force", is_flag=True, help="Set all that exists aside and make everything new.")
def command(
    directory: state.DataDirectory,
    out: Path | None,
    names: tuple[str, ...],
    service_cluster_ip_range: str,
    *,
    force: bool,
) -> int:
    """Make what is missing and renew what ends soon; what exists is not overwritten."""
    target = (out or directory.pki).absolute()
    if force:
        _set_aside(target, directory, in_use=out is None and directory.is_locked())
    try:
        wanted = [*credentials.kubernetes_names(service_cluster_ip_range), *names]
    except ValueError:
        raise CommandError(f"--service-cluster-ip-range: {service_cluster_ip_range!r} is not a range") from None
    try:
        if out is None:
            directory.make()
        if credentials.attention(target, wanted):
            credentials.ensure(target, wanted, print)
    except OSError as error:
        raise CommandError(f"cannot write {error.filename}: {error.strerror}") from error
    _show(target)
    return 0


def _set_aside(target: Path, directory: state.DataDirectory, *, in_use: bool) -> None:
    if in_use:
        raise CommandError(
            f"kubehop runs with these keys: end it first with `kubehop down --data-dir {directory.root}`"
        )
    try:
        aside = credentials.set_aside(target)
    except OSError as error:
        raise CommandError(f"cannot move {target} aside: {error.strerror}; empty it yourself") from error
    if aside is not None:
        print(f"the old keys and certificates are in {aside}; no client that trusts them can come in any more")


def _show(target: Path) -> None:
    index = credentials.read_index(target)
    print(f"{target}:")
    for path, entry in sorted(index.items()):
        left = entry.not_after - time.time()
        mark = "  <- renewed by the next `kubehop up` or `kubehop pki`" if left < credentials.RENEW_BEFORE else ""
        names = f"  {', '.join(entry.names)}" if entry.names else ""
        print(f"  {path:<32} until {credentials.day(entry.not_after)}{mark}{names}")
