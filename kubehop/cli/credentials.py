"""The keys and certificates of one kubehop: which there are, who holds them, when they are made or renewed.

Called by `kubehop up` before anything starts, by `kubehop pki`, and by the pki service of compose.yaml. Four
authorities that trust nothing of one another: `serving` (the gateway towards clients), `clients` (who may come in by
certificate), `hops` (stage to stage) and `etcd` (storage to etcd). Each process has a directory of its own with all
that it needs and nothing else, so that a container can mount just that one:

    authorities/      the four authorities with their keys; no process reads them. Also index.json: digest, expiry and
                      names of every certificate, by which `up` sees at a glance that all is well
    gateway/          serving.crt serving.key, hop.crt hop.key, clients-ca.crt hops-ca.crt serving-ca.crt
    authentication/   hop.crt hop.key hops-ca.crt, clients-ca.crt, service-accounts.key service-accounts.pub
    authorization/ admission/   hop.crt hop.key hops-ca.crt
    storage/          hop.crt hop.key hops-ca.crt, etcd.crt etcd.key etcd-ca.crt
    etcd/             server.crt server.key etcd-ca.crt
    admin/            client.crt client.key serving-ca.crt: CN kubernetes-admin, O system:masters

Nothing is overwritten silently: what exists stays, unless it is a certificate of ours that ends within RENEW_BEFORE or
lacks a name that is wanted, which is issued again for the same key and reported.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kubehop.cli import state
from kubehop.cli.errors import CommandError

if TYPE_CHECKING:
    from cryptography import x509

    from kubehop.cli import certificates

AUTHORITIES: Final = ("serving", "clients", "hops", "etcd")
STAGES: Final = ("authentication", "authorization", "admission", "storage")
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
RENEW_BEFORE: Final = 30 * 86400  # seconds
INDEX: Final = "authorities/index.json"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One certificate that is wanted, at `path`.crt with its key at `path`.key."""

    path: str
    authority: str
    common_name: str
    organizations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    server: bool = False
    client: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index knows of one certificate; times in unix seconds."""

    digest: str
    not_after: float
    names: tuple[str, ...]


def leaves(serving_names: Sequence[str]) -> Iterator[Leaf]:
    """Every certificate below an authority; `serving_names` are those under which clients reach the gateway."""
    names = tuple(dict.fromkeys((*LOOPBACK, *serving_names)))
    yield Leaf("gateway/serving", "serving", "kubehop-gateway", names=names, server=True)
    yield Leaf("admin/client", "clients", "kubernetes-admin", ("system:masters",), client=True)
    yield Leaf("gateway/hop", "hops", "gateway", names=("gateway", *LOOPBACK), client=True)
    for stage in STAGES:
        # a stage serves its callers and may itself call others (authorization and admission read storage)
        yield Leaf(f"{stage}/hop", "hops", stage, names=(stage, *LOOPBACK), server=True, client=True)
    # etcd calls itself with its serving certificate, hence both purposes
    yield Leaf("etcd/server", "etcd", "etcd", names=("etcd", *LOOPBACK), server=True, client=True)
    yield Leaf("storage/etcd", "etcd", "kubehop-storage", client=True)


COPIES: Final = (
    *((f"{owner}/hops-ca", "hops") for owner in ("gateway", *STAGES)),
    ("gateway/serving-ca", "serving"),
    ("admin/serving-ca", "serving"),
    ("gateway/clients-ca", "clients"),
    ("authentication/clients-ca", "clients"),
    ("storage/etcd-ca", "etcd"),
    ("etcd/etcd-ca", "etcd"),
)
SIGNING_KEY: Final = "authentication/service-accounts"


def kubernetes_names(service_range: str) -> list[str]:
    """Names under which pods reach an API server: the `kubernetes` Service and the first address of its range."""
    import ipaddress

    domain = "cluster.local"
    names = [
        "gateway",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{domain}",
    ]
    first = ipaddress.ip_network(service_range.split(",", maxsplit=1)[0])
    return [*names, str(first.network_address + 1)]


def attention(directory: Path, serving_names: Sequence[str], now: float | None = None) -> list[str]:
    """What is not as it should be, in words; empty when nothing has to be done. Loads no cryptography."""
    moment = time.time() if now is None else now
    index = read_index(directory)
    if not index:
        return ["keys and certificates have to be made"]
    wanted = {f"{leaf.path}.crt": leaf.names for leaf in leaves(serving_names)}
    wanted |= {f"authorities/{name}.crt": () for name in AUTHORITIES} | {f"{path}.crt": () for path, _ in COPIES}
    found = []
    for path, names in wanted.items():
        entry = index.get(path)
        if entry is None or _digest(directory / path) != entry.digest:
            found.append(f"{path} is new or was changed")
        elif entry.not_after - moment < RENEW_BEFORE:
            found.append(f"{path} expires on {day(entry.not_after)}")
        elif not set(names) <= set(entry.names):
            found.append(f"{path} lacks {', '.join(sorted(set(names) - set(entry.names)))}")
    keys = [f"{leaf.path}.key" for leaf in leaves(())] + [f"{SIGNING_KEY}.key", f"{SIGNING_KEY}.pub"]
    return found + [f"{path} is missing" for path in keys if not (directory / path).is_file()]


def ensure(
    directory: Path, serving_names: Sequence[str], report: Callable[[str], None], now: float | None = None
) -> None:
    """Make what is missing and renew what is due, telling `report` each change in a line.

    Raises CommandError for files that can be neither used nor replaced without asking.
    """
    from kubehop.cli import certificates

    moment = dt.datetime.fromtimestamp(time.time() if now is None else now, dt.UTC)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authorities = {name: _authority(directory, name, moment, report) for name in AUTHORITIES}
    known: dict[str, x509.Certificate] = {f"authorities/{n}.crt": a.certificate for n, a in authorities.items()}
    for leaf in leaves(serving_names):
        known[f"{leaf.path}.crt"] = _leaf(directory, leaf, authorities[leaf.authority], moment, report)
    for path, name in COPIES:
        target = directory / f"{path}.crt"
        if not target.is_file() or certificates.load_certificate(target) != authorities[name].certificate:
            certificates.write_certificate(target, authorities[name].certificate)
        known[f"{path}.crt"] = authorities[name].certificate
    _signing_key(directory, report)
    entries = {
        path: {
            "digest": _digest(directory / path),
            "not_after": certificate.not_valid_after_utc.timestamp(),
            "names": certificates.names_of(certificate),
        }
        for path, certificate in known.items()
    }
    state.replace(directory / INDEX, json.dumps(entries, indent=1) + "\n", 0o644)


def set_aside(directory: Path) -> Path | None:
    """Move the whole directory away, so that `ensure` makes everything new; says where to."""
    if not any(directory.glob("*")):
        return None
    aside = directory.with_name(f"{directory.name}.replaced-{time.strftime('%Y%m%d-%H%M%S')}")
    directory.rename(aside)
    return aside


def read_index(directory: Path) -> dict[str, Entry]:
    """The index; empty when there is none that can be read."""
    try:
        raw: dict[str, dict[str, Any]] = json.loads((directory / INDEX).read_text())
        return {path: Entry(e["digest"], float(e["not_after"]), tuple(e["names"])) for path, e in raw.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def day(moment: float) -> str:
    """A unix time as a date."""
    return time.strftime("%Y-%m-%d", time.gmtime(moment))


def _authority(directory: Path, name: str, now: dt.datetime, report: Callable[[str], None]) -> certificates.Authority:
    from kubehop.cli import certificates

    base = directory / "authorities" / name
    certificate, key = base.with_suffix(".crt"), base.with_suffix(".key")
    if not certificate.exists() and not key.exists():
        made = certificates.new_authority(f"kubehop-{name}-ca", now)
        certificates.write_key(key, made.key)
        certificates.write_certificate(certificate, made.certificate)
        report(f"made the authority {name}, good until {day(made.certificate.not_valid_after_utc.timestamp())}")
        return made
    for path in (certificate, key):
        if not path.exists():
            raise CommandError(
                f"{path} is missing beside its other half: put it back, or make all new with `kubehop pki --force`"
            )
    authority = certificates.Authority(certificates.load_certificate(certificate), certificates.load_key(key))
    if not certificates.same_key(authority.certificate, authority.key.public_key()):
        raise CommandError(
            f"{certificate} and {key} do not belong together: put the right ones back, or `kubehop pki --force`"
        )
    if authority.certificate.not_valid_after_utc - now < dt.timedelta(seconds=RENEW_BEFORE):
        ends = day(authority.certificate.not_valid_after_utc.timestamp())
        raise CommandError(
            f"the authority {name} expires on {ends}: `kubehop pki --force` makes everything new "
            f"(clients then need the new kubeconfig)"
        )
    return authority


def _leaf(
    directory: Path,
    leaf: Leaf,
    authority: certificates.Authority,
    now: dt.datetime,
    report: Callable[[str], None],
) -> x509.Certificate:
    """The certificate at the leaf's place: the one that is there if it will do, else a new one."""
    from kubehop.cli import certificates

    path, key_path = directory / f"{leaf.path}.crt", directory / f"{leaf.path}.key"
    if key_path.exists():
        key = certificates.load_key(key_path)
    elif path.exists():
        raise CommandError(
            f"{key_path} is missing beside {path.name}: put it back, or move {path} away to have both made new"
        )
    else:
        key = certificates.new_key()
        certificates.write_key(key_path, key)
    reason, names = "made", leaf.names
    if path.exists():
        present = certificates.load_certificate(path)
        lacking = sorted(set(leaf.names) - set(certificates.names_of(present)))
        ends = present.not_valid_after_utc
        if not certificates.same_key(present, key.public_key()):
            raise CommandError(
                f"{path} and {key_path.name} do not belong together: move both away to have them made new"
            )
        if not authority.signed(present):
            raise CommandError(
                f"{path} is not signed by authorities/{leaf.authority}.crt: move it away to have it made new"
            )
        if ends - now >= dt.timedelta(seconds=RENEW_BEFORE) and not lacking:
            return present
        reason = (
            f"renewed (it lacked {', '.join(lacking)})" if lacking else f"renewed (it ends on {day(ends.timestamp())})"
        )
        names = tuple(dict.fromkeys((*leaf.names, *certificates.names_of(present))))  # names once given stay good
    subject = certificates.Subject(leaf.common_name, leaf.organizations, names, leaf.server, leaf.client)
    issued = certificates.issue(authority, subject, key.public_key(), now)
    certificates.write_certificate(path, issued)
    report(f"{reason} {leaf.path}.crt, good until {day(issued.not_valid_after_utc.timestamp())}")
    return issued


def _signing_key(directory: Path, report: Callable[[str], None]) -> None:
    """The key that signs service account tokens, with its public half for those who only verify."""
    from kubehop.cli import certificates

    private, public = directory / f"{SIGNING_KEY}.key", directory / f"{SIGNING_KEY}.pub"
    if not private.exists():
        if public.exists():
            raise CommandError(f"{private} is missing beside {public.name}: put it back, or move {public} away")
        certificates.write_key(private, certificates.new_key())
        report(f"made {SIGNING_KEY}.key")
    key = certificates.load_key(private)
    if not public.exists() or public.read_bytes() != certificates.public_pem(key.public_key()):
        certificates.write_public_key(public, key.public_key())


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
