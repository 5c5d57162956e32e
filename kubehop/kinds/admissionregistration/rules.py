"""What is wrong with webhook configurations, policies and bindings; expressions are compiled elsewhere.

Facts: pkg/apis/admissionregistration/validation/validation.go, apiserver/pkg/util/webhook/validation.go.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from kubehop.kinds.validation import Errors
from kubehop.kinds.validation_values import label_selector, obeys, one_of, qualified, required_name, subdomain
from kubehop.machinery import fields, names
from kubehop.machinery.fields import Path

Object = dict[str, Any]

_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_URL_FORM = "desired format: https://host[/path]"
_MAX_CONDITIONS = 64
_SPEC = Path("spec")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")


def webhooks(obj: Object, *, mutating: bool) -> Errors:
    """Check the webhooks of a configuration."""
    seen: set[str] = set()
    for index, webhook in enumerate(obj.get("webhooks") or ()):
        at, name = Path("webhooks").index(index), webhook.get("name") or ""
        yield from _webhook(at, webhook, mutating=mutating)
        yield from _review_versions(at, webhook)
        if name and name in seen:
            yield fields.duplicate(at.child("name"), name)
        seen.add(name)


def _webhook(at: Path, webhook: Object, *, mutating: bool) -> Errors:
    yield from names.fully_qualified_name(at.child("name"), webhook.get("name") or "")
    yield from label_selector(at.child("namespaceSelector"), webhook.get("namespaceSelector"))
    yield from label_selector(at.child("objectSelector"), webhook.get("objectSelector"))
    for index, rule in enumerate(webhook.get("rules") or ()):
        yield from _rule(at.child("rules").index(index), rule)
    for field, supported in (("failurePolicy", ("Fail", "Ignore")), ("matchPolicy", ("Equivalent", "Exact"))):
        if webhook.get(field) is not None:
            yield from one_of(at.child(field), webhook[field], supported)
    effects = webhook.get("sideEffects")
    if effects is None:
        yield fields.required(at.child("sideEffects"), "must specify one of None, NoneOnDryRun")
    else:
        yield from one_of(at.child("sideEffects"), effects, ("None", "NoneOnDryRun"))
    seconds = webhook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        text = "the timeout value must be between 1 and 30 seconds"
        yield fields.invalid(at.child("timeoutSeconds"), seconds, text)
    if mutating and webhook.get("reinvocationPolicy") is not None:
        yield from one_of(at.child("reinvocationPolicy"), webhook["reinvocationPolicy"], ("IfNeeded", "Never"))
    yield from client(at.child("clientConfig"), webhook.get("clientConfig") or {})
    yield from match_conditions(at.child("matchConditions"), webhook.get("matchConditions") or ())


def _review_versions(at: Path, webhook: Object) -> Errors:
    versions, here = webhook.get("admissionReviewVersions") or (), at.child("admissionReviewVersions")
    if not versions:
        yield fields.required(here, "must specify one of v1, v1beta1")
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield fields.invalid(here.index(index), version, "duplicate version")
            continue
        for message in names.dns1035_label(version):
            yield fields.invalid(here.index(index), version, message)
    if not {"v1", "v1beta1"} & set(versions):
        yield fields.invalid(here, list(versions), "must include at least one of v1, v1beta1")


def client(at: Path, config: Object) -> Errors:
    """Check where a webhook is: at a URL, or behind a service."""
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield fields.required(at, "exactly one of url or service is required")
    elif url is not None:
        yield from _url(at.child("url"), url)
    elif service is not None:
        yield from _service(at.child("service"), service)


def _url(at: Path, url: str) -> Errors:
    try:
        found = urlsplit(url)
    except ValueError as error:
        yield fields.required(at, f"url must be a valid URL: {error}; {_URL_FORM}")
        return
    if found.scheme != "https":
        text = f"'https' is the only allowed URL scheme; {_URL_FORM}"
        yield fields.invalid(at, found.scheme, text)
    if not found.netloc:
        yield fields.invalid(at, "", f"host must be specified; {_URL_FORM}")
    if "@" in found.netloc:
        yield fields.invalid(at, found.netloc.rpartition("@")[0], "user information is not permitted in the URL")
    if found.fragment:
        yield fields.invalid(at, found.fragment, "fragments are not permitted in the URL")
    if found.query:
        yield fields.invalid(at, found.query, "query parameters are not permitted in the URL")


def _service(at: Path, service: Object) -> Errors:
    for field in ("name", "namespace"):
        if not service.get(field):
            yield fields.required(at.child(field), f"service {field} is required")
    port = service.get("port") or 0
    for message in names.port_number(port):
        yield fields.invalid(at.child("port"), port, f"port is not valid: {message}")
    path = service.get("path")
    if path is None:
        return
    here = at.child("path")
    if not path.startswith("/"):
        yield fields.invalid(here, path, "must start with a '/'")
    if path == "/":
        return
    for index, step in enumerate(path.removeprefix("/").removesuffix("/").split("/")):
        if not step:
            yield fields.invalid(here, path, f"segment[{index}] may not be empty")
            continue
        for message in names.dns1123_subdomain(step):
            yield fields.invalid(here, path, f"segment[{index}]: {message}")


def match_conditions(at: Path, conditions: Any) -> Errors:
    """Check the conditions under which a webhook or policy is asked, but for what they say."""
    if len(conditions) > _MAX_CONDITIONS:
        yield fields.too_many(at, len(conditions), _MAX_CONDITIONS)
    seen: set[str] = set()
    for index, condition in enumerate(conditions):
        here, name = at.index(index), condition.get("name") or ""
        if not (condition.get("expression") or "").strip():
            yield fields.required(here.child("expression"))
        if not name:
            yield fields.required(here.child("name"))
        else:
            yield from qualified(here.child("name"), name)
            if name in seen:
                yield fields.duplicate(here.child("name"), name)
        seen.add(name)


def _rule(at: Path, rule: Object) -> Errors:
    operations = rule.get("operations") or []
    if not operations:
        yield fields.required(at.child("operations"))
    if len(operations) > 1 and "*" in operations:
        text = "if '*' is present, must not specify other operations"
        yield fields.invalid(at.child("operations"), operations, text)
    for index, operation in enumerate(operations):
        yield from one_of(at.child("operations").index(index), operation, _OPERATIONS)
    yield from _rule_of(at, rule)


def _rule_of(at: Path, rule: Object) -> Errors:
    for field, what in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        found = rule.get(field) or []
        if not found:
            yield fields.required(at.child(field))
        if len(found) > 1 and "*" in found:
            yield fields.invalid(at.child(field), found, f"if '*' is present, must not specify other {what}")
        if field == "apiVersions":
            for index, version in enumerate(found):
                if not version:
                    yield fields.required(at.child(field).index(index))
    resources = rule.get("resources") or []
    if not resources:
        yield fields.required(at.child("resources"))
    yield from _resources(at.child("resources"), resources)
    if rule.get("scope") is not None:
        yield from one_of(at.child("scope"), rule["scope"], _SCOPES)


def _resources(at: Path, resources: list[str]) -> Errors:
    """Check the resources of a rule: one may not be said to be in another."""
    if "*/*" in resources:
        if len(resources) > 1:
            yield fields.invalid(at, resources, "if '*/*' is present, must not specify other resources")
        return
    whole: set[str] = set()  # resources with all of their subresources
    everywhere: set[str] = set()  # subresources of all resources
    for index, one in enumerate(resources):
        here, (resource, slash, sub) = at.index(index), one.partition("/")
        if not one:
            yield fields.required(here)
            continue
        if not slash:
            if one == "*" and any("/" not in other for other in resources if other != "*"):
                text = "if '*' is present, must not specify other resources without subresources"
                yield fields.invalid(at, resources, text)
            continue
        if resource in whole:
            text = f"if '{resource}/*' is present, must not specify {one}"
            yield fields.invalid(here, one, text)
        if sub in everywhere:
            yield fields.invalid(here, one, f"if '*/{sub}' is present, must not specify {one}")
        if sub == "*":
            whole.add(resource)
        if resource == "*":
            everywhere.add(sub)


def match_resources(at: Path, match: Object | None) -> Errors:
    """Check what a policy or binding is about."""
    if match is None:
        return
    if match.get("matchPolicy") is None:
        yield fields.required(at.child("matchPolicy"))
    else:
        yield from one_of(at.child("matchPolicy"), match["matchPolicy"], ("Equivalent", "Exact"))
    for field in ("namespaceSelector", "objectSelector"):
        if match.get(field) is None:
            yield fields.required(at.child(field))
        else:
            yield from label_selector(at.child(field), match[field])
    for field in ("resourceRules", "excludeResourceRules"):
        for index, rule in enumerate(match.get(field) or ()):
            here = at.child(field).index(index)
            for place, name in enumerate(rule.get("resourceNames") or ()):
                yield from obeys(here.child("resourceNames").index(place), name, names.path_segment_name)
                if name in rule["resourceNames"][:place]:
                    yield fields.duplicate(here.child("resourceNames").index(place), name)
            yield from _rule(here, rule)


def policy(obj: Object, *, mutating: bool) -> Errors:
    """Check a policy, but for its expressions."""
    spec = obj.get("spec") or {}
    failure = spec.get("failurePolicy")
    if failure is None:
        yield fields.required(_SPEC.child("failurePolicy"))
    else:
        yield from one_of(_SPEC.child("failurePolicy"), failure, ("Fail", "Ignore"))
    kind = spec.get("paramKind")
    if kind is not None:
        yield from _param_kind(_SPEC.child("paramKind"), kind)
    constraints = spec.get("matchConstraints")
    if constraints is None:
        yield fields.required(_SPEC.child("matchConstraints"))
    else:
        yield from match_resources(_SPEC.child("matchConstraints"), constraints)
        if not constraints.get("resourceRules"):
            yield fields.required(_SPEC.child("matchConstraints", "resourceRules"))
    yield from _named_expressions(_SPEC.child("variables"), spec.get("variables") or ())
    if mutating:
        yield from _mutations(spec)
    else:
        yield from _validations(spec)
    yield from match_conditions(_SPEC.child("matchConditions"), spec.get("matchConditions") or ())


def _param_kind(at: Path, kind: Object) -> Errors:
    version = kind.get("apiVersion") or ""
    if not version:
        yield fields.required(at.child("apiVersion"))
    elif version.count("/") > 1:
        yield fields.invalid(at.child("apiVersion"), version, f"unexpected GroupVersion string: {version}")
    else:
        group, slash, rest = version.partition("/")
        if slash:
            yield from obeys(at.child("apiVersion"), group, names.dns1123_subdomain)
        yield from obeys(at.child("apiVersion"), rest if slash else group, names.dns1035_label)
    yield from required_name(at.child("kind"), (kind.get("kind") or "").lower(), names.dns1035_label)


def _named_expressions(at: Path, found: Any) -> Errors:
    for index, one in enumerate(found):
        name = one.get("name") or ""
        if not name.strip():
            yield fields.required(at.index(index).child("name"), "name is not specified")
        elif names.c_identifier(name):
            yield fields.invalid(at.index(index).child("name"), name, "name is not a valid CEL identifier")
        if not (one.get("expression") or "").strip():
            yield fields.required(at.index(index).child("expression"), "expression is not specified")
        if any(name == other.get("name") for other in found[:index]):
            yield fields.duplicate(at.index(index).child("name"), name)


def _mutations(spec: Object) -> Errors:
    mutations, at = spec.get("mutations") or (), _SPEC.child("mutations")
    if not mutations:
        yield fields.required(at, "mutations must contain at least one item")
    for index, mutation in enumerate(mutations):
        here, kind = at.index(index), mutation.get("patchType") or ""
        fields_of = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
        if not kind:
            yield fields.required(here.child("patchType"))
        elif kind not in fields_of:
            yield fields.not_supported(here.child("patchType"), kind, tuple(fields_of))
        for patch, field in fields_of.items():
            if patch == kind and mutation.get(field) is None:
                yield fields.required(here.child(field), f"must be specified when patchType is {patch}")
            if patch != kind and mutation.get(field) is not None:
                yield fields.forbidden(here.child(field), f"may not be specified when patchType is not {patch}")
    if spec.get("reinvocationPolicy") is None:
        yield fields.required(_SPEC.child("reinvocationPolicy"))
    else:
        yield from one_of(_SPEC.child("reinvocationPolicy"), spec["reinvocationPolicy"], ("IfNeeded", "Never"))


def _validations(spec: Object) -> Errors:
    validations, annotations = spec.get("validations") or (), spec.get("auditAnnotations") or ()
    if not validations and not annotations:
        text = "validations or auditAnnotations must contain at least one item"
        yield fields.required(_SPEC.child("validations"), text)
        yield fields.required(_SPEC.child("auditAnnotations"), text)
    for index, one in enumerate(validations):
        at = _SPEC.child("validations").index(index)
        if not (one.get("expression") or "").strip():
            yield fields.required(at.child("expression"), "expression is not specified")
        message = one.get("message") or ""
        if message and not message.strip():
            yield fields.invalid(at.child("message"), message, "message must be non-empty if specified")
        elif "\n" in message.strip():
            yield fields.invalid(at.child("message"), message, "message must not contain line breaks")
        elif "\n" in (one.get("expression") or "").strip() and not message.strip():
            text = "message must be specified if expression contains line breaks"
            yield fields.required(at.child("message"), text)
        if one.get("reason"):
            yield from one_of(at.child("reason"), one["reason"], _REASONS)
    for index, one in enumerate(annotations):
        at, key = _SPEC.child("auditAnnotations").index(index), one.get("key") or ""
        yield from required_name(at.child("key"), key, names.qualified_name)
        if not (one.get("valueExpression") or "").strip():
            yield fields.required(at.child("valueExpression"))
        if any(key == other.get("key") for other in annotations[:index]):
            yield fields.duplicate(at.child("key"), key)


def binding(obj: Object, *, mutating: bool) -> Errors:
    """Check a binding."""
    spec = obj.get("spec") or {}
    yield from required_name(_SPEC.child("policyName"), spec.get("policyName"), names.dns1123_subdomain)
    if spec.get("paramRef") is not None:
        yield from _param_ref(_SPEC.child("paramRef"), spec["paramRef"])
    yield from match_resources(_SPEC.child("matchResources"), spec.get("matchResources"))
    if mutating:
        return
    actions, at = spec.get("validationActions") or [], _SPEC.child("validationActions")
    if not actions:
        yield fields.required(at, "at least one validation action is required")
    for index, action in enumerate(actions):
        yield from one_of(at.index(index), action, ("Audit", "Deny", "Warn"))
        if action in actions[:index]:
            yield fields.duplicate(at.index(index), action)
    if {"Deny", "Warn"} <= set(actions):
        text = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        yield fields.invalid(at, actions, text)


def _param_ref(at: Path, reference: Object) -> Errors:
    name, selector = reference.get("name") or "", reference.get("selector")
    if name and selector is not None:
        yield fields.forbidden(at.child("name"), "name and selector are mutually exclusive")
    elif name:
        yield from obeys(at.child("name"), name, names.path_segment_name)
    elif selector is not None:
        yield from label_selector(at.child("selector"), selector)
    else:
        yield fields.required(at, "one of name or selector must be specified")
    action = reference.get("parameterNotFoundAction")
    if action is None:
        yield fields.required(at.child("parameterNotFoundAction"))
    else:
        yield from one_of(at.child("parameterNotFoundAction"), action, ("Allow", "Deny"))
    if reference.get("namespace"):
        yield from subdomain(at.child("namespace"), reference["namespace"])
