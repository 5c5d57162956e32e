"""The admin's kubeconfig: the server's address, its authority and a client certificate, all embedded.

Written by `kubehop up` and by the kubeconfig service of compose.yaml; read by kubectl. It is the user's file as well
(`kubectl config set-context --namespace` writes into it), so only the entries named `kubehop` are ever changed.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any, Final

import click

from kubehop.cli import options, state
from kubehop.cli.errors import CommandError

NAME: Final = "kubehop"
USER: Final = "kubehop-admin"


def write(path: Path, server: str, admin: Path) -> bool:
    """Bring the kubeconfig up to date with the files of pki/admin; True when it had to be changed. Mode 0600."""
    files = {name: _encoded(admin / name) for name in ("serving-ca.crt", "client.crt", "client.key")}
    present = path.read_text() if path.exists() else ""
    if present and all(value in present for value in (f"server: {server}\n", *files.values())):
        return False
    import yaml  # loaded only when the file changes

    try:
        document = yaml.safe_load(present) or {}
    except yaml.YAMLError as error:
        raise CommandError(f"{path} is not YAML any more: repair it or move it away") from error
    if not isinstance(document, dict):
        raise CommandError(f"{path} is not a kubeconfig: move it away")
    document.setdefault("apiVersion", "v1")
    document.setdefault("kind", "Config")
    document.setdefault("preferences", {})
    _entry(document, "clusters", NAME)["cluster"] = {
        "certificate-authority-data": files["serving-ca.crt"],
        "server": server,
    }
    _entry(document, "users", USER)["user"] = {
        "client-certificate-data": files["client.crt"],
        "client-key-data": files["client.key"],
    }
    context = _entry(document, "contexts", NAME).setdefault("context", {})
    context.update(cluster=NAME, user=USER)
    document.setdefault("current-context", NAME)
    text = yaml.safe_dump(
        document, sort_keys=False, width=1 << 20
    )  # one line a value, so that the check above finds them
    try:
        state.replace(path, text)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error
    return True


def _entry(document: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    """The entry of that name, made if need be."""
    entries: list[dict[str, Any]] = document.setdefault(section, [])
    for entry in entries:
        if entry.get("name") == name:
            return entry
    entry = {"name": name}
    entries.append(entry)
    return entry


def _encoded(path: Path) -> str:
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}; `kubehop pki` makes it") from error


@click.command("kubeconfig")
@options.data_dir()
@click.option(
    "--admin", type=click.Path(path_type=Path), help="Directory with the admin's files; else <data-dir>/pki/admin."
)
@click.option("--server", default="https://127.0.0.1:6443", show_default=True, help="Address of the gateway.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else <data-dir>/kubeconfig."
)
def command(directory: state.DataDirectory, admin: Path | None, server: str, out: Path | None) -> int:
    """Write a kubeconfig for the admin (`kubehop up` does so by itself)."""
    target = (out or directory.kubeconfig).absolute()
    changed = write(target, server, admin or directory.pki / "admin")
    _hand_over(target)
    print(f"{target}: {'written' if changed else 'up to date'}, for {server}")
    return 0


def _hand_over(path: Path) -> None:
    """Give the file to the owner of its directory: in a container we are root, and the user is somebody else."""
    if os.getuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
