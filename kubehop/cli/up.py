"""`kubehop up`: checks everything, prepares the data directory, and hands over to the supervisor.

In the foreground this process becomes the supervisor by exec, so that what was needed to get ready (option parsing,
cryptography) does not stay in memory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

import kubehop
from kubehop.cli import credentials, down, etcd, kubeconfig, options, processes, stages, state, swapping
from kubehop.cli.console import Console
from kubehop.cli.errors import CommandError
from kubehop.cli.plan import Child, Plan, python_module
from kubehop.cli.settings import Etcd, Policy, Serving, UpSettings


def _path(flag: str, text: str) -> Callable[[options.F], options.F]:
    """A file, made absolute: the processes that read it run in another directory."""
    return click.option(
        flag,
        metavar="FILE",
        callback=lambda _ctx, _param, value: Path(value).expanduser().absolute() if value else None,
        help=text,
    )


def _stage(name: str) -> Callable[[options.F], options.F]:
    """The address of a stage that runs elsewhere."""
    text = f"Call this {name} stage and start none: unix:/path or host:port, several with commas."
    return click.option(f"--{name}", default="", metavar="TARGETS", help=text)


@click.command("up")
@options.data_dir()
@click.option("--secure-port", type=int, default=6443, show_default=True, help="Port of the gateway.")
@click.option("--bind-address", default="127.0.0.1", show_default=True, help="Address that the gateway listens on.")
@click.option("--gateways", type=int, default=1, show_default=True, help="Gateway processes that share the port.")
@_path("--token-auth-file", 'Static bearer tokens, CSV: token,user,uid,"group1,group2".')
@_path("--client-ca-file", "Further authorities whose client certificates are accepted, beside kubehop's own.")
@options.go_bool("--anonymous-auth", default=True, text="Let requests without credentials in as system:anonymous.")
@click.option("--authorization-mode", default="Node,RBAC", show_default=True, help="Authorizers, asked in this order.")
@click.option("--service-cluster-ip-range", default="10.96.0.0/16", show_default=True, help="Addresses of Services.")
@options.go_bool("--allow-privileged", default=True, text="Accept privileged containers.")
@click.option("--enable-admission-plugins", default="", help="Admission plugins to run beside the default ones.")
@click.option("--disable-admission-plugins", default="", help="Admission plugins not to run.")
@_path("--admission-control-config-file", "AdmissionConfiguration: what admission plugins are to be told.")
@click.option("--etcd-servers", default="", metavar="URLS", help="An etcd that runs already; else one is started.")
@_path("--etcd-cafile", "Authority of that etcd's certificate.")
@_path("--etcd-certfile", "Client certificate for that etcd.")
@_path("--etcd-keyfile", "Key of that client certificate.")
@_stage("authentication")
@_stage("authorization")
@_stage("admission")
@_stage("storage")
@_path("--encryption-provider-config", "EncryptionConfiguration: how objects are encrypted in etcd.")
@click.option("--unsafe-no-fsync", is_flag=True, help="Run etcd without fsync: fast, and a power cut may lose all.")
@click.option("--detach", "-d", is_flag=True, help="Return once everything is ready, and leave it running.")
def command(directory: state.DataDirectory, *, detach: bool, **flags: Any) -> int:
    """Start every process of the pipeline and keep it running until Ctrl-C."""
    began = _began()
    directory.make()
    lock = directory.lock()
    settings = _settings(flags)
    if left := down.end_orphans(directory):
        Console().note(f"ended what a killed kubehop left behind: {', '.join(left)}")
    if problems := settings.problems():
        raise CommandError(*problems)
    console = Console(directory.logs / "kubehop.log")
    console.note(f"kubehop {kubehop.__version__}  data in {directory.root}")
    binary = "" if settings.etcd.servers or "storage" in settings.swapped else etcd.find()
    _ensure_credentials(directory, settings, console)
    own_etcd = etcd.child(directory, binary, unsafe_no_fsync=settings.etcd.unsafe_no_fsync) if binary else None
    if kubeconfig.write(directory.kubeconfig, settings.serving.url, directory.pki / "admin"):
        console.step("kubeconfig", f"written to {directory.kubeconfig}", time.time() - began)
    _plan(directory, settings, own_etcd, began=began, detach=detach).write(directory.plan)
    supervisor = python_module("kubehop.cli.supervisor", str(directory.root), str(lock))
    os.set_inheritable(lock, True)
    return _start_detached(supervisor, lock) if detach else _become(supervisor)


def _settings(flags: dict[str, Any]) -> UpSettings:
    return UpSettings(
        Etcd(
            tuple(filter(None, flags["etcd_servers"].split(","))),
            flags["etcd_cafile"],
            flags["etcd_certfile"],
            flags["etcd_keyfile"],
            flags["unsafe_no_fsync"],
            flags["encryption_provider_config"],
        ),
        Serving(flags["bind_address"], flags["secure_port"], flags["gateways"]),
        Policy(
            flags["token_auth_file"],
            flags["client_ca_file"],
            flags["anonymous_auth"],
            tuple(flags["authorization_mode"].split(",")),
            flags["service_cluster_ip_range"],
            flags["allow_privileged"],
            flags["enable_admission_plugins"],
            flags["disable_admission_plugins"],
            flags["admission_control_config_file"],
        ),
        {name: flags[name] for name in swapping.STAGES if flags[name]},
    )


def _ensure_credentials(directory: state.DataDirectory, settings: UpSettings, console: Console) -> None:
    names = credentials.kubernetes_names(settings.policy.service_cluster_ip_range)
    if settings.serving.bind_address not in ("0.0.0.0", "::", "127.0.0.1", "::1"):  # noqa: S104 - compared
        names.append(settings.serving.bind_address)
    if not credentials.attention(directory.pki, names):
        return
    before = time.monotonic()
    changes: list[str] = []
    credentials.ensure(directory.pki, names, changes.append)
    if len(changes) > len(credentials.AUTHORITIES):
        console.step("pki", f"{len(changes)} keys and certificates made in {directory.pki}", time.monotonic() - before)
    else:
        for change in changes:
            console.step("pki", change, time.monotonic() - before)


def _plan(
    directory: state.DataDirectory, settings: UpSettings, own_etcd: Child | None, *, began: float, detach: bool
) -> Plan:
    return Plan(
        swapping.swap(stages.children(directory, settings, own_etcd), settings.swapped, directory),
        settings.serving.url,
        str(directory.kubeconfig),
        began,
        detached=detach,
    )


def _become(argv: tuple[str, ...]) -> NoReturn:
    sys.stdout.flush()
    os.execv(argv[0], argv)  # noqa: S606 - our own interpreter, no shell wanted


def _start_detached(argv: Sequence[str], lock: int) -> int:
    """Leave the supervisor behind in a session of its own, and relay what it says until it lets go of our pipe."""
    child = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, pass_fds=(lock,), start_new_session=True
    )

    def forward(number: int, _frame: FrameType | None) -> None:
        processes.send(child.pid, signal.Signals(number))

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, forward)
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            print(line, end="", flush=True)
    # it closes the pipe when it is ready, and also by ending
    time.sleep(0.05)
    return child.poll() or 0


def _began() -> float:
    """When this process started, in unix seconds, as exactly as the system tells; else now."""
    if not processes.LINUX:
        return time.time()
    ticks = float(processes.identity(os.getpid()))
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.time() - age
