"""The file of --encryption-provider-config, read and checked whole; `transformers` makes providers of it.

Form, rules and words are kube-apiserver's: kubernetes/apiserver pkg/apis/apiserver/v1/types_encryption.go and
pkg/apis/apiserver/validation/validation_encryption.go. No message ever holds a secret.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import yaml

API_VERSIONS: Final = ("apiserver.config.k8s.io/v1",)
LEGACY: Final = ("v1", "EncryptionConfig")
AES_SIZES: Final = (16, 24, 32)
SECRETBOX_SIZES: Final = (32,)
_PROVIDERS: Final = ("aesgcm", "aescbc", "secretbox", "kms", "identity")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_WITHOUT_API: Final = frozenset({"apiserveripinfo", "serviceipallocations", "servicenodeportallocations"})


class ConfigurationError(Exception):
    """The file cannot be used; the problems, a line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Key:
    """A named key."""

    name: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kms:
    """A KMS v2 plugin."""

    name: str
    endpoint: str
    """unix:///path, or unix:///@name for an abstract socket."""
    timeout_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider; `kind` is its name in the file."""

    kind: str
    keys: tuple[Key, ...] = ()
    kms: Kms | None = None


class GroupResource(NamedTuple):
    """A resource; "*" for any."""

    group: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> GroupResource:
        """Read `secrets`, `deployments.apps`, `*.apps`, `*.` or `*.*`."""
        resource, _, group = text.partition(".")
        return cls(group, resource)

    def __str__(self) -> str:
        if self == ("", "*"):
            return "*."
        return f"{self.resource}.{self.group}" if self.group else self.resource


@dataclass(frozen=True, slots=True)
class Rule:
    """Resources and their providers: the first writes, all read."""

    resources: tuple[GroupResource, ...]
    providers: tuple[Provider, ...]


def parse(text: bytes) -> tuple[Rule, ...]:
    """Read the file's content.

    Raises:
        ConfigurationError: with every problem.
    """
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where is not None else ""
        # the parser's own words may quote a secret
        raise ConfigurationError([f"the file is not YAML{line}"]) from None
    if not isinstance(document, dict):
        raise ConfigurationError(["the file holds no EncryptionConfiguration"])
    kind, version = document.get("kind"), document.get("apiVersion")
    if not (kind == "EncryptionConfiguration" and version in API_VERSIONS) and (version, kind) != LEGACY:
        raise ConfigurationError(
            [f"got kind {kind!r} of {version!r}, expected EncryptionConfiguration of {API_VERSIONS[0]}"]
        )
    problems = list(_unknown(document, {"kind", "apiVersion", "resources", "metadata"}, ""))
    entries = document.get("resources")
    if not isinstance(entries, list) or not entries:
        raise ConfigurationError([*problems, "resources: Required value: at least one resources is required"])
    names: set[str] = set()
    rules = [_rule(entry, f"resources[{i}]", problems, names) for i, entry in enumerate(entries)]
    problems += _masked(rules)
    if problems:
        raise ConfigurationError(problems)
    return tuple(rules)


def _unknown(found: Mapping[str, Any], known: set[str], path: str) -> Iterator[str]:
    for name in found:
        if name not in known:
            yield f'unknown field "{path}{name}"'


def _rule(entry: Any, path: str, problems: list[str], names: set[str]) -> Rule:
    if not isinstance(entry, dict):
        problems.append(f"{path}: Invalid value: expected an object")
        return Rule((), ())
    problems += _unknown(entry, {"resources", "providers"}, f"{path}.")
    texts = [str(text) for text in entry.get("resources") or ()]
    if not texts:
        problems.append(f"{path}.resources: Required value: at least one {path}.resources is required")
    resources = tuple(map(GroupResource.parse, texts))
    problems += _overlaps(resources, f"{path}.resources")
    for i, text in enumerate(texts):
        if why := _bad_name(text):
            problems.append(f'{path}.resources[{i}]: Invalid value: "{text}": {why}')
    found = entry.get("providers") or []
    if not found:
        problems.append(f"{path}.providers: Required value: at least one {path}.providers is required")
    providers = [_provider(each, f"{path}.providers[{i}]", problems, names) for i, each in enumerate(found)]
    return Rule(resources, tuple(provider for provider in providers if provider is not None))


def _bad_name(text: str) -> str:
    found = GroupResource.parse(text)
    if text != text.lower():
        return "resource name should not contain capital letters"
    if text == "*":
        return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources"
    if text in _WITHOUT_API:
        return "resources which do not have REST API/s cannot be encrypted"
    if found.group == "events.k8s.io":
        return (
            "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the "
            "config file"
        )
    if found.group == "extensions":
        return "'extensions' group has been removed and cannot be used for encryption"
    if found.group == "*" and found.resource != "*":
        return "encrypting the same resource across groups is not supported"
    return ""


def _overlaps(resources: tuple[GroupResource, ...], path: str) -> Iterator[str]:
    shown = "[" + ", ".join(f'"{resource}"' for resource in resources) + "]"
    if len(set(resources)) < len(resources):
        yield f"{path}: Invalid value: {shown}: the same resource cannot be specified multiple times"
    distinct = set(resources)
    if any(
        a != b and (a == ("*", "*") or (a.group == b.group and a.resource == "*")) for a in distinct for b in distinct
    ):
        yield (
            f"{path}: Invalid value: {shown}: using overlapping resources such as 'secrets' and '*.' in the same "
            "resource list is not allowed as they will be masked"
        )


def _masked(rules: list[Rule]) -> Iterator[str]:
    """A rule that an earlier, wider one makes pointless is a mistake."""
    seen: set[GroupResource] = set()
    for rule in rules:
        for resource in rule.resources:
            for wider in (GroupResource(resource.group, "*"), GroupResource("*", "*")):
                if wider in seen:
                    yield f'resource "{resource}" is masked by earlier rule "{wider}"'
                    break
            seen.add(resource)


def _provider(entry: Any, path: str, problems: list[str], names: set[str]) -> Provider | None:
    if not isinstance(entry, dict):
        problems.append(f"{path}: Invalid value: expected an object")
        return None
    problems += _unknown(entry, set(_PROVIDERS), f"{path}.")
    kinds = [kind for kind in _PROVIDERS if entry.get(kind) is not None]
    if len(kinds) != 1:
        why = (
            "more than one provider specified in a single element, should split into different list elements"
            if kinds
            else "provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity"
        )
        problems.append(f"{path}: Invalid value: {why}")
        return None
    kind = kinds[0]
    content = entry[kind] if isinstance(entry[kind], dict) else {}
    path = f"{path}.{kind}"
    if kind == "identity":
        return Provider(kind)
    if kind == "kms":
        return Provider(kind, kms=_kms(content, path, problems, names))
    sizes = SECRETBOX_SIZES if kind == "secretbox" else AES_SIZES
    return Provider(kind, tuple(_keys(content, path, problems, sizes)))


def _keys(content: Mapping[str, Any], path: str, problems: list[str], sizes: tuple[int, ...]) -> list[Key]:
    problems += _unknown(content, {"keys"}, f"{path}.")
    found = content.get("keys") or []
    if not found:
        problems.append(f"{path}.keys: Required value: at least one keys is required")
    keys = []
    for i, each in enumerate(found):
        here = f"{path}.keys[{i}]"
        entry = each if isinstance(each, dict) else {}
        problems += _unknown(entry, {"name", "secret"}, f"{here}.")
        name, text = str(entry.get("name") or ""), str(entry.get("secret") or "")
        if not name:
            problems.append(f"{here}.name: Required value: name is a mandatory field for a key")
        if not text:
            problems.append(f"{here}.secret: Required value: secret is a mandatory field for a key")
            continue
        try:
            secret = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            problems.append(f'{here}.secret: Invalid value: "REDACTED": secrets must be base64 encoded')
            continue
        if len(secret) not in sizes:
            expected = "[" + " ".join(map(str, sizes)) + "]"
            problems.append(
                f'{here}.secret: Invalid value: "REDACTED": secret is not of the expected length, got {len(secret)}, '
                f"expected one of {expected}"
            )
        keys.append(Key(name, secret))
    return keys


def _kms(content: Mapping[str, Any], path: str, problems: list[str], names: set[str]) -> Kms:
    problems += _unknown(content, {"apiVersion", "name", "endpoint", "timeout", "cachesize"}, f"{path}.")
    name, endpoint = str(content.get("name") or ""), str(content.get("endpoint") or "")
    version = str(content.get("apiVersion") or "v1")
    if not name:
        problems.append(f"{path}.name: Required value: name is a mandatory field for a provider")
    elif ":" in name:
        problems.append(
            f"{path}.name: Invalid value: \"{name}\": invalid KMS provider name {name}, must not contain ':'"
        )
    elif name in names:
        problems.append(
            f'{path}.name: Invalid value: "{name}": duplicate KMS provider name {name}, names must be unique'
        )
    names.add(name)
    if version == "v1":
        problems.append(
            f'{path}.apiVersion: Invalid value: "v1": KMSv1 is deprecated and not supported here. Use KMSv2 instead '
            "(apiVersion: v2)"
        )
    elif version != "v2":
        problems.append(f'{path}.apiVersion: Invalid value: "{version}": unsupported apiVersion, only v2 is supported')
    if content.get("cachesize") is not None:
        problems.append(f"{path}.cachesize: Invalid value: cachesize is not supported in v2")
    if not endpoint:
        problems.append(f"{path}.endpoint: Invalid value: endpoint is a mandatory field for a kms")
    elif urlsplit(endpoint).scheme != "unix":
        problems.append(
            f'{path}.endpoint: Invalid value: "{endpoint}": unsupported scheme "{urlsplit(endpoint).scheme}" for KMS '
            "provider, only unix is supported"
        )
    return Kms(name, endpoint, _seconds(content.get("timeout"), f"{path}.timeout", problems))


def _seconds(value: Any, path: str, problems: list[str]) -> float:
    if value is None:
        return 3.0
    parts = _DURATION.findall(str(value))
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != str(value) or total <= 0:
        problems.append(f'{path}: Invalid value: "{value}": timeout should be a positive value')
        return 3.0
    return total
