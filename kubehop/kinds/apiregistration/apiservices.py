"""API services: how they are printed (kube-aggregator pkg/registry/apiservice/etcd), and their defaults."""

from __future__ import annotations

from typing import Any

from kubehop.kinds.defaulting import fill, part
from kubehop.kinds.printing import AGE, NAME, Column, age, at, name
from kubehop.kinds.strategy import Step, Strategy
from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import obeys, one_of, subdomain
from kubehop.machinery import fields, gotext, names
from kubehop.machinery.fields import Path
from kubehop.machinery.table import Printer

Object = dict[str, Any]


def _available(obj: Object) -> str:
    for condition in at(obj, "status", "conditions") or ():
        if condition.get("type") == "Available":
            status, reason = condition.get("status") or "", condition.get("reason")
            return f"{status} ({reason})" if status != "True" and reason else status
    return "Unknown"


def _cells(obj: Object, now: float) -> list[Any]:
    service = at(obj, "spec", "service")
    text = f"{service.get('namespace') or ''}/{service.get('name') or ''}" if service else "Local"
    return [name(obj), text, _available(obj), age(obj, now)]


PRINTER = Printer(
    columns=(
        NAME,
        Column("Service", description="The reference to the service that hosts this API endpoint."),
        Column("Available", description="Whether this service is available."),
        AGE,
    ),
    cells=_cells,
)


class STRATEGY(Strategy):
    """API services name a version and a group."""

    update_steps = (Step.METADATA_UPDATE, Step.METADATA, Step.CHECK)
    standard_finalizers = False

    def name_rule(self, name: str, prefix: bool) -> list[str]:
        """Take what fits a URL: `v1.` is the core group's."""
        return names.name_is_path_segment(name, prefix)

    def default(self, obj: Object) -> None:
        """Fill in the service's port."""
        service = part(obj, "spec", "service")
        if service is not None:
            fill(service, port=443)

    def check(self, obj: Object) -> Errors:
        """Check name, priorities and service (ValidateAPIService)."""
        spec, path = obj.get("spec") or {}, Path("spec")
        group, version = spec.get("group") or "", spec.get("version") or ""
        if name(obj) and name(obj) != f"{version}.{group}":
            text = f'must be `spec.version+"."+spec.group`: {gotext.quote(f"{version}.{group}")}'
            yield fields.invalid(Path("metadata", "name"), name(obj), text)
        if group:
            yield from subdomain(path.child("group"), group)
        elif version != "v1":
            text = "only v1 may have an empty group and it better be legacy kube"
            yield fields.required(path.child("group"), text)
        yield from obeys(path.child("version"), version, names.dns1035_label)
        for field, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
            if not 0 < (spec.get(field) or 0) <= most:
                text = f"must be positive and less than {most}"
                yield fields.invalid(path.child(field), spec.get(field) or 0, text)
        yield from _service(path, spec)

    def check_subresource_update(self, new: Object, old: Object, subresource: str) -> Errors:
        """Check the conditions."""
        _ = old, subresource
        for index, condition in enumerate(at(new, "status", "conditions") or ()):
            path = Path("status", "conditions").index(index).child("status")
            yield from one_of(path, condition.get("status") or "", ("True", "False", "Unknown"))


def _service(path: Path, spec: Object) -> Errors:
    service, insecure, bundle = spec.get("service"), spec.get("insecureSkipTLSVerify"), spec.get("caBundle") or ""
    if service is None:
        if bundle:
            size = len(bundle) * 3 // 4 - bundle.count("=")
            yield fields.invalid(path.child("caBundle"), f"{size} bytes", "local APIServices may not have a caBundle")
        if insecure:
            text = "local APIServices may not have insecureSkipTLSVerify"
            yield fields.invalid(path.child("insecureSkipTLSVerify"), insecure, text)
        return
    for field in ("namespace", "name"):
        if not service.get(field):
            yield fields.required(path.child("service", field))
    port = service.get("port") or 0
    wrong = names.port_number(port)
    if wrong:
        yield fields.invalid(path.child("service", "port"), port, f"port is not valid: {', '.join(wrong)}")
    if insecure and bundle:
        text = "may not be true if caBundle is present"
        yield fields.invalid(path.child("insecureSkipTLSVerify"), insecure, text)
