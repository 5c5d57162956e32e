"""The file of --authentication-config: an AuthenticationConfiguration of apiserver.config.k8s.io.

Read once at the start by `settings`, as kube-apiserver reads its anonymous part. JWT authenticators are not served by
this stage, and a file that asks for them is refused rather than half obeyed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

GROUP = "apiserver.config.k8s.io"
VERSIONS = tuple(f"{GROUP}/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
KIND = "AuthenticationConfiguration"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the file says."""

    anonymous: bool | None = None
    """Whether anonymous requests are let in; None where the file does not say."""
    anonymous_paths: frozenset[str] = frozenset()
    """Paths on which they are; all if there are none."""


def configuration_file(value: str) -> Configuration:
    """Read the file that a flag names. Raises ValueError with every problem."""
    try:
        document = yaml.safe_load(Path(value).read_bytes())
    except OSError as error:
        raise ValueError(f"{value}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{value}: not YAML: {error}") from error
    problems = list(_problems(document))
    if problems:
        raise ValueError(f"{value}: {'; '.join(problems)}")
    anonymous = document.get("anonymous")
    if anonymous is None:
        return Configuration()
    paths = frozenset(condition["path"] for condition in anonymous.get("conditions") or ())
    return Configuration(bool(anonymous.get("enabled")), paths)


def _problems(document: Any) -> Iterator[str]:
    if not isinstance(document, dict):
        yield f"write an {KIND}"
        return
    if document.get("apiVersion") not in VERSIONS or document.get("kind") != KIND:
        yield f"apiVersion and kind must be {VERSIONS[0]} and {KIND}"
    for key in document.keys() - {"apiVersion", "kind", "jwt", "anonymous"}:
        yield f'unknown field "{key}"'
    if document.get("jwt"):
        yield "jwt: this stage has no JWT authenticators"
    anonymous = document.get("anonymous")
    if anonymous is None:
        return
    if not isinstance(anonymous, dict) or anonymous.keys() - {"enabled", "conditions"}:
        yield "anonymous: write enabled and conditions"
        return
    if not isinstance(anonymous.get("enabled", False), bool):
        yield "anonymous.enabled: write true or false"
    conditions = anonymous.get("conditions") or ()
    if conditions and not anonymous.get("enabled"):
        yield "anonymous.conditions: enabled should be set to true when conditions are defined"
    if not isinstance(conditions, list | tuple):
        yield "anonymous.conditions: write a list"
        return
    for index, condition in enumerate(conditions):
        path = condition.get("path") if isinstance(condition, dict) and set(condition) == {"path"} else None
        if not isinstance(path, str) or not path:
            yield f"anonymous.conditions[{index}].path: write a path"
