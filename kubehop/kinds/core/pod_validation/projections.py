"""Volumes whose files come from the API: config maps, secrets, the pod itself, tokens and trust bundles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubehop.kinds.core.pod_validation import references
from kubehop.kinds.core.pod_validation.paths import file_mode, not_reserved
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import exactly_what, label_selector
from kubehop.machinery import fields, gotext, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_LEAST_SECONDS = 10 * 60
_MOST_SECONDS = 1 << 32
_DUPLICATE = "conflicting duplicate paths"
_BUNDLE_FIELDS = ("name", "signerName", "labelSelector", "optional", "path")
_CERTIFICATE_KEYS = ("ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519", "RSA3072", "RSA4096")


def configured(name_field: str) -> Callable[[Path, Object], Errors]:
    """Return the check of a volume of a config map or secret, which is named by a field."""

    def check(path: Path, source: Object) -> Errors:
        if not source.get(name_field):
            yield fields.required(path.child(name_field))
        yield from file_mode(path.child("defaultMode"), source.get("defaultMode"))
        for index, item in enumerate(source.get("items") or ()):
            yield from _key_to_path(path.child("items").index(index), item)

    return check


def _key_to_path(path: Path, item: Object) -> Errors:
    if not item.get("key"):
        yield fields.required(path.child("key"))
    if not item.get("path"):
        yield fields.required(path.child("path"))
    yield from not_reserved(path.child("path"), item.get("path") or "")
    yield from file_mode(path.child("mode"), item.get("mode"))


def downward(path: Path, source: Object) -> Errors:
    """Check a volume of what a pod knows of itself (validateDownwardAPIVolumeSource)."""
    yield from file_mode(path.child("defaultMode"), source.get("defaultMode"))
    for file in source.get("items") or ():
        yield from _downward_file(path, file)


def _downward_file(path: Path, file: Object) -> Errors:
    if not file.get("path"):
        yield fields.required(path.child("path"))
    yield from not_reserved(path.child("path"), file.get("path") or "")
    field, resource = file.get("fieldRef"), file.get("resourceFieldRef")
    if field is not None:
        yield from references.field(path.child("fieldRef"), field, references.VOLUME_FIELDS)
        if resource is not None:
            text = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield fields.invalid(path, "resource", text)
    elif resource is not None:
        yield from references.resource(path.child("resourceFieldRef"), resource, in_volume=True)
    else:
        yield fields.required(path, "one of fieldRef and resourceFieldRef is required")
    yield from file_mode(path.child("mode"), file.get("mode"))


def projected(path: Path, source: Object) -> Errors:
    """Check a volume of several sources (validateProjectedVolumeSource)."""
    yield from file_mode(path.child("defaultMode"), source.get("defaultMode"))
    taken: set[str] = set()
    for index, part in enumerate(source.get("sources") or ()):
        at = path.child("sources").index(index)
        for name in ("secret", "configMap"):
            if (found := part.get(name)) is not None:
                yield from _items(path, at.child(name), found, taken)
        if (found := part.get("downwardAPI")) is not None:
            for file in found.get("items") or ():
                yield from _downward_file(at.child("downwardAPI"), file)
                yield from _taken(path, file.get("path"), taken)
        if (found := part.get("serviceAccountToken")) is not None:
            yield from _token(path, at.child("serviceAccountToken"), found)
        if (found := part.get("clusterTrustBundle")) is not None:
            yield from _trust_bundle(at.child("clusterTrustBundle"), found)
            yield from _taken(path, found.get("path") or "", taken, even_empty=True)
        if (found := part.get("podCertificate")) is not None:
            yield from _certificate(path, at.child("podCertificate"), found, taken)
        if len(part) > 1:
            yield fields.forbidden(at, "may not specify more than 1 volume type per source")


def _items(whole: Path, path: Path, found: Object, taken: set[str]) -> Errors:
    if not found.get("name"):
        yield fields.required(path.child("name"))
    for index, item in enumerate(found.get("items") or ()):
        yield from _key_to_path(path.child("items").index(index), item)
        yield from _taken(whole, item.get("path"), taken, shown=found.get("name") or "")


def _taken(
    path: Path, target: str | None, taken: set[str], shown: str | None = None, *, even_empty: bool = False
) -> Errors:
    """Refuse a file that another source brings too; the error shows the source's name where it has one."""
    if not target and not even_empty:
        return
    target = target or ""
    if target in taken:
        yield fields.invalid(path, target if shown is None else shown, _DUPLICATE)
    taken.add(target)


def _token(whole: Path, path: Path, token: Object) -> Errors:
    seconds = token.get("expirationSeconds") or 0
    if seconds < _LEAST_SECONDS:
        text = "may not specify a duration less than 10 minutes"
        yield fields.invalid(path.child("expirationSeconds"), seconds, text)
    if seconds > _MOST_SECONDS:
        text = "may not specify a duration larger than 2^32 seconds"
        yield fields.invalid(path.child("expirationSeconds"), seconds, text)
    if not token.get("path"):
        yield fields.required(whole.child("path"))
    else:
        yield from not_reserved(whole.child("path"), token["path"])


def _trust_bundle(path: Path, bundle: Object) -> Errors:
    name, signer, selector = bundle.get("name"), bundle.get("signerName"), bundle.get("labelSelector")
    if name is not None and signer is not None:
        whole = exactly_what(bundle, _BUNDLE_FIELDS)
        yield fields.invalid(path, whole, "only one of name and signerName may be used")
    elif name is not None:
        if not name:
            yield fields.required(path.child("name"), "must be a valid object name")
        for message in _bundle_name(name):
            yield fields.invalid(path.child("name"), name, f"not a valid clustertrustbundlename: {message}")
        if selector is not None:
            text = "labelSelector must be unset if name is specified"
            yield fields.invalid(path.child("labelSelector"), selector, text)
    elif signer is not None:
        if not signer:
            yield fields.required(path.child("signerName"), "must be a valid signer name")
        yield from signer_name(path.child("signerName"), signer)
        yield from label_selector(path.child("labelSelector"), selector)
    else:
        yield fields.required(path, "either name or signerName must be specified")
    if not bundle.get("path"):
        yield fields.required(path.child("path"))
    yield from not_reserved(path.child("path"), bundle.get("path") or "")


def _bundle_name(name: str) -> list[str]:
    """Hold a trust bundle's name against its rule: of a signer's ones the last part counts."""
    signer, colon, rest = name.rpartition(":")
    return names.dns1123_subdomain(rest if colon and signer else name)


def signer_name(path: Path, name: str) -> Errors:
    """Want `example.com/name` (ValidateSignerName)."""
    if not name:
        yield fields.required(path)
        return
    parts = name.split("/")
    if len(parts) != 2:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield fields.invalid(path, name, text)
        return
    domain, rest = parts
    for message in names.dns1123_subdomain(domain):
        text = f"validating label {gotext.quote(domain)}: {message}"
        yield fields.invalid(path, domain, text)
    if len(domain.split(".")) < 2:
        yield fields.invalid(path, domain, "should be a domain with at least two segments separated by dots")
    for message in names.dns1123_subdomain(rest):
        yield fields.invalid(path, rest, f"validating label {gotext.quote(rest)}: {message}")


def _certificate(whole: Path, path: Path, found: Object, taken: set[str]) -> Errors:
    yield from signer_name(path.child("signerName"), found.get("signerName") or "")
    kind = found.get("keyType") or ""
    if kind not in _CERTIFICATE_KEYS:
        yield fields.not_supported(path.child("keyType"), kind, _CERTIFICATE_KEYS)
    for name in ("credentialBundlePath", "keyPath", "certificateChainPath"):
        if found.get(name):
            yield from not_reserved(path.child(name), found[name])
            yield from _taken(whole, found[name], taken)
