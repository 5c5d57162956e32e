"""Rules for file paths inside volumes and containers. Used by the parts of a pod that name files."""

from __future__ import annotations

from kubehop.kinds.validation import Errors
from kubehop.machinery import fields
from kubehop.machinery.fields import Path


def no_backsteps(path: Path, target: str) -> Errors:
    """Refuse `..` among a path's elements (validatePathNoBacksteps)."""
    if ".." in target.split("/"):
        yield fields.invalid(path, target, "must not contain '..'")


def descending(path: Path, target: str) -> Errors:
    """Want a relative path that goes down only (validateLocalDescendingPath)."""
    if target.startswith("/"):
        yield fields.invalid(path, target, "must be a relative path")
    yield from no_backsteps(path, target)


def not_reserved(path: Path, target: str) -> Errors:
    """Want a descending path that leaves names with two dots alone (ValidateLocalNonReservedPath)."""
    yield from descending(path, target)
    if target.startswith("..") and not target.startswith("../"):
        yield fields.invalid(path, target, "must not start with '..'")


def file_mode(path: Path, mode: int | None) -> Errors:
    """Want permission bits."""
    if mode is not None and not 0 <= mode <= 0o777:
        yield fields.invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive")
