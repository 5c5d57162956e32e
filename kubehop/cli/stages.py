"""The processes of the pipeline with their command lines: which stage listens where, and whom it calls.

Called by up.py. compose.yaml says the same for containers, where the hops go over TCP with certificates.
"""

from __future__ import annotations

from pathlib import Path

from kubehop.cli import state
from kubehop.cli.plan import Child, python_module
from kubehop.cli.probe import Probe
from kubehop.cli.settings import Policy, UpSettings

BUNDLE = "clients-ca.crt"


def children(directory: state.DataDirectory, settings: UpSettings, own_etcd: Child | None) -> tuple[Child, ...]:
    """Everything to start, etcd first when it is ours."""
    sockets = directory.sockets()
    policy = settings.policy
    storage = f"unix:{sockets / 'storage.sock'}"
    stages = (
        _stage("storage", 1, sockets, *_etcd_flags(directory, settings, own_etcd), *_encryption_flags(settings)),
        _stage("authentication", 2, sockets, "--storage", storage, *_authentication_flags(directory, policy)),
        _stage(
            "authorization",
            2,
            sockets,
            "--storage",
            storage,
            "--authorization-mode",
            ",".join(policy.authorization_modes),
        ),
        _stage(
            "admission",
            2,
            sockets,
            "--storage",
            storage,
            "--authorization",
            f"unix:{sockets / 'authorization.sock'}",
            *_admission_flags(policy),
        ),
    )
    gateways = tuple(
        _gateway(directory, settings, sockets, f"gateway-{number}" if settings.serving.gateways > 1 else "gateway")
        for number in range(settings.serving.gateways)
    )
    return (*((own_etcd,) if own_etcd else ()), *stages, *gateways)


def _stage(name: str, tier: int, sockets: Path, *flags: str) -> Child:
    listen = f"unix:{sockets / f'{name}.sock'}"
    argv = python_module(f"services.{name}", "--listen", listen, *flags)
    return Child(name, argv, tier, Probe(listen), listen)


def _gateway(directory: state.DataDirectory, settings: UpSettings, sockets: Path, name: str) -> Child:
    own, admin, serving, policy = directory.pki / "gateway", directory.pki / "admin", settings.serving, settings.policy
    hops = [
        f"--{stage}=unix:{sockets / f'{stage}.sock'}"
        for stage in ("authentication", "authorization", "admission", "storage")
    ]
    argv = python_module(
        "gateway",
        f"--bind-address={serving.bind_address}",
        f"--secure-port={serving.secure_port}",
        f"--tls-cert-file={own / 'serving.crt'}",
        f"--tls-private-key-file={own / 'serving.key'}",
        f"--client-ca-file={_client_authorities(directory, policy)}",
        *hops,
        f"--service-cluster-ip-range={policy.service_cluster_ip_range}",
        f"--allow-privileged={_word(policy.allow_privileged)}",
        *(("--reuse-port=true",) if serving.gateways > 1 else ()),
    )
    probe = Probe(
        serving.url.removeprefix("https://"),
        "/readyz",
        str(admin / "serving-ca.crt"),
        str(admin / "client.crt"),
        str(admin / "client.key"),
        name="localhost",
        port=serving.secure_port if serving.gateways > 1 else 0,
    )
    return Child(name, argv, 3, probe, serving.url, grace=20.0)


def _authentication_flags(directory: state.DataDirectory, policy: Policy) -> list[str]:
    flags = [
        f"--client-ca-file={_client_authorities(directory, policy)}",
        f"--anonymous-auth={_word(policy.anonymous_auth)}",
        f"--service-account-signing-key-file={directory.pki / 'authentication' / 'service-accounts.key'}",
        f"--service-account-key-file={directory.pki / 'authentication' / 'service-accounts.pub'}",
    ]
    if policy.token_auth_file is not None:
        flags.append(f"--token-auth-file={policy.token_auth_file}")
    return flags


def _admission_flags(policy: Policy) -> list[str]:
    plugins = {
        "--enable-admission-plugins": policy.enable_admission_plugins,
        "--disable-admission-plugins": policy.disable_admission_plugins,
    }
    flags = [f"{flag}={names}" for flag, names in plugins.items() if names]
    if policy.admission_control_config_file is not None:
        flags.append(f"--admission-control-config-file={policy.admission_control_config_file}")
    return flags


def _etcd_flags(directory: state.DataDirectory, settings: UpSettings, own_etcd: Child | None) -> list[str]:
    if own_etcd is not None:
        own = directory.pki / "storage"
        return [
            f"--etcd-servers={own_etcd.address}",
            f"--etcd-cafile={own / 'etcd-ca.crt'}",
            f"--etcd-certfile={own / 'etcd.crt'}",
            f"--etcd-keyfile={own / 'etcd.key'}",
        ]
    etcd = settings.etcd
    files = {"--etcd-cafile": etcd.ca, "--etcd-certfile": etcd.cert, "--etcd-keyfile": etcd.key}
    return [f"--etcd-servers={','.join(etcd.servers)}", *(f"{flag}={path}" for flag, path in files.items() if path)]


def _encryption_flags(settings: UpSettings) -> list[str]:
    path = settings.etcd.encryption_config
    return [f"--encryption-provider-config={path}"] if path else []


def _client_authorities(directory: state.DataDirectory, policy: Policy) -> Path:
    """Who may sign client certificates: we, for the admin, and whoever --client-ca-file names."""
    ours = directory.pki / "authentication" / "clients-ca.crt"
    if policy.client_ca_file is None:
        return ours
    bundle = directory.run / BUNDLE
    state.replace(bundle, f"{ours.read_text().rstrip()}\n{policy.client_ca_file.read_text()}")
    return bundle


def _word(value: bool) -> str:
    return "true" if value else "false"
