"""All that can be set, read once at start; `__main__` hands each part only its group."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kubehop.hop.settings import (
    Flags,
    StageFlags,
    StageSettings,
    Values,
    integer,
    names,
    readable_file,
    seconds,
    text,
)


@dataclass(frozen=True, slots=True)
class EtcdSettings:
    """How to reach etcd."""

    servers: tuple[str, ...] = ("http://127.0.0.1:2379",)
    """Client URLs of the members: http, https or unix. The next one is tried when one fails."""
    ca_file: Path | None = None
    """CA that signed the members' certificates; None: the system's."""
    cert_file: Path | None = None
    """Client certificate, where etcd asks for one."""
    key_file: Path | None = None
    """Key of the client certificate."""
    prefix: str = "/registry"
    """Where the objects live, kube-apiserver's --etcd-prefix."""
    request_timeout_seconds: float = 10.0
    """How long one request may take; beyond it a read fails and a write is read back."""
    encryption_file: Path | None = None
    """EncryptionConfiguration, kube-apiserver's --encryption-provider-config; None keeps values in plain."""
    compaction_seconds: float = 300.0
    """Pause between compactions, kube-apiserver's --etcd-compaction-interval; 0 leaves compaction to somebody else."""
    keepalive_seconds: float = 10.0
    """Pause between pings on a quiet connection; etcd refuses less than 5."""


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """How much of the past is kept in memory. Watches resume within it, lists of older revisions are served from it."""

    events: int = 10_000
    """Changes kept at most."""
    bytes: int = 32 * 1024 * 1024
    """Bytes of superseded and deleted objects kept at most."""
    seconds: float = 600.0
    """Age at which changes are dropped even if there is room: etcd compacts at half of it."""
    replay: int = 1_000
    """Revisions read back from etcd at start, so that watches of clients survive a restart of this process."""


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """The watch cache and what is served from it."""

    history: HistorySettings = field(default_factory=HistorySettings)
    """The past."""
    page_items: int = 500
    """Keys read at a time when the cache is filled: bounds the size of one etcd answer."""
    patience_seconds: float = 3.0
    """How long a read waits for the cache to reach a revision: kube-apiserver's blockTimeout. Then a read of the latest
    state goes to etcd, and one of a given revision fails."""
    watcher_events: int = 5_000
    """Events that a reader of a watch may be behind before it is cut off."""
    bookmark_seconds: float = 60.0
    """Pause between bookmarks of a quiet watch; kube-apiserver's is about a minute."""
    housekeeping_seconds: float = 5.0
    """Pause between looks at bookmarks and at the age of the history."""


@dataclass(frozen=True, slots=True)
class LeaseSettings:
    """Leases of objects with a time to live (events). Values of kube-apiserver's lease manager."""

    reuse_seconds: float = 60.0
    """A lease is shared by objects written within this time, and outlives the first by it."""
    reuse_fraction: float = 0.05
    """The same as a fraction of the time to live; the smaller of both counts."""
    objects: int = 1_000
    """Objects attached to one lease at most."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Everything this stage is told."""

    stage: StageSettings
    metrics_socket: Path | None = None
    """Where metrics can be read; None for nowhere."""
    etcd: EtcdSettings = field(default_factory=EtcdSettings)
    cache: CacheSettings = field(default_factory=CacheSettings)
    leases: LeaseSettings = field(default_factory=LeaseSettings)

    @property
    def digest(self) -> str:
        """Changes whenever a setting does; what Describe shows."""
        return hashlib.sha256(repr((self.etcd, self.cache, self.leases)).encode()).hexdigest()


def server_urls(value: str) -> tuple[str, ...]:
    """Client URLs of etcd members, separated by commas."""
    urls = names(value)
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "unix", "unixs") or not (parts.netloc or parts.path.strip("/")):
            raise ValueError(f"{url!r} is no etcd URL: write http://host:2379, https://host:2379 or unix:///path")
    if not urls:
        raise ValueError("name at least one etcd member")
    return urls


def parse(arguments: list[str] | None = None) -> StorageSettings:
    """Read flags and environment; every problem on a line of its own, then exit status 2."""
    flags = Flags("services.storage", "The storage stage of kubehop: keeps objects in etcd.")
    stage = StageFlags(flags)
    etcd, history, cache = EtcdSettings(), HistorySettings(), CacheSettings()
    servers = flags.require("--etcd-servers", server_urls, help="client URLs of the etcd members, separated by commas")
    ca = flags.optional("--etcd-cafile", readable_file, help="CA of etcd's certificates (PEM); default: the system's")
    cert = flags.optional("--etcd-certfile", readable_file, help="client certificate for etcd (PEM)")
    key = flags.optional("--etcd-keyfile", readable_file, help="key of the client certificate (PEM)")
    prefix = flags.add("--etcd-prefix", text, default=etcd.prefix, help="where in etcd the objects live")
    timeout = flags.add("--etcd-request-timeout", seconds, default="10s", help="how long one request to etcd may take")
    compaction = flags.add(
        "--etcd-compaction-interval", seconds, default="5m", help="pause between compactions of etcd; 0s for none"
    )
    metrics = flags.optional(
        "--metrics-socket", Path, help="unix socket on which GET /metrics is answered, for this user alone"
    )
    encryption = flags.optional(
        "--encryption-provider-config", readable_file, help="EncryptionConfiguration (YAML); read anew when it changes"
    )
    events = flags.add(
        "--watch-history-events", integer(1, 10_000_000), default=str(history.events), help="changes kept in memory"
    )
    megabytes = flags.add(
        "--watch-history-megabytes", integer(1, 100_000), default="32", help="superseded objects kept in memory"
    )
    age = flags.add("--watch-history-age", seconds, default="10m", help="age at which changes are dropped from memory")
    replay = flags.add(
        "--watch-history-replay",
        integer(0, 1_000_000),
        default=str(history.replay),
        help="revisions read back at start",
    )
    patience = flags.add("--read-patience", seconds, default="3s", help="how long a read waits for the watch cache")
    watcher = flags.add(
        "--watcher-events",
        integer(1, 1_000_000),
        default=str(cache.watcher_events),
        help="events a reader of a watch may be behind before it is cut off",
    )
    bookmarks = flags.add("--bookmark-period", seconds, default="1m", help="pause between bookmarks of a quiet watch")

    def check(values: Values) -> Iterable[str]:
        if (values[cert] is None) != (values[key] is None) and values.sound(cert, key):
            yield "--etcd-certfile and --etcd-keyfile belong together: give both"
        if values.sound(prefix) and not values[prefix].strip("/"):
            yield "--etcd-prefix must not be empty: objects live below one prefix"

    flags.check(check)
    values = flags.parse(arguments)
    return StorageSettings(
        stage=stage.settings(values),
        metrics_socket=values[metrics],
        etcd=EtcdSettings(
            servers=values[servers],
            ca_file=values[ca],
            cert_file=values[cert],
            key_file=values[key],
            prefix=values[prefix],
            request_timeout_seconds=values[timeout],
            encryption_file=values[encryption],
            compaction_seconds=values[compaction],
        ),
        cache=CacheSettings(
            history=HistorySettings(
                events=values[events], bytes=values[megabytes] << 20, seconds=values[age], replay=values[replay]
            ),
            patience_seconds=values[patience],
            watcher_events=values[watcher],
            bookmark_seconds=values[bookmarks],
        ),
    )
