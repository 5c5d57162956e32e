"""A small kind for tests of schemas, decoding and patches: the parts of a Deployment that show every case."""

from __future__ import annotations

from kubehop.machinery.objects import GroupVersionKind
from kubehop.machinery.schema import Builder, GoFields, Schema

_REF = "#/definitions/"
_TEXT = {"type": "string"}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_INT32 = {"type": "integer", "format": "int32"}

DEFINITIONS = {
    "io.k8s.api.apps.v1.Deployment": {
        "type": "object",
        "properties": {
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": {"$ref": f"{_REF}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
            "spec": {"$ref": f"{_REF}io.k8s.api.apps.v1.DeploymentSpec"},
            "status": {"$ref": f"{_REF}io.k8s.api.apps.v1.DeploymentStatus"},
        },
    },
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {
        "type": "object",
        "properties": {
            "name": _TEXT,
            "labels": _TEXTS,
            "annotations": _TEXTS,
            "creationTimestamp": {"$ref": f"{_REF}io.k8s.apimachinery.pkg.apis.meta.v1.Time"},
            "finalizers": {
                "type": "array",
                "items": _TEXT,
                "x-kubernetes-list-type": "set",
                "x-kubernetes-patch-strategy": "merge",
            },
        },
    },
    "io.k8s.api.apps.v1.DeploymentSpec": {
        "type": "object",
        "required": ["selector", "template"],
        "properties": {
            "replicas": _INT32,
            "paused": {"type": "boolean"},
            "ratio": {"type": "number", "format": "double"},
            "selector": _TEXTS,
            "strategy": {
                "$ref": f"{_REF}io.k8s.api.apps.v1.DeploymentStrategy",
                "x-kubernetes-patch-strategy": "retainKeys",
            },
            "template": {"$ref": f"{_REF}io.k8s.api.core.v1.PodSpec"},
        },
    },
    "io.k8s.api.apps.v1.DeploymentStrategy": {
        "type": "object",
        "properties": {
            "type": _TEXT,
            "maxSurge": {"$ref": f"{_REF}io.k8s.apimachinery.pkg.util.intstr.IntOrString"},
        },
    },
    "io.k8s.api.apps.v1.DeploymentStatus": {"type": "object", "properties": {"replicas": _INT32}},
    "io.k8s.api.core.v1.PodSpec": {
        "type": "object",
        "required": ["containers"],
        "properties": {
            "containers": {
                "type": "array",
                "items": {"$ref": f"{_REF}io.k8s.api.core.v1.Container"},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "x-kubernetes-patch-merge-key": "name",
                "x-kubernetes-patch-strategy": "merge",
            },
            "volumes": {
                "type": "array",
                "items": {"$ref": f"{_REF}io.k8s.api.core.v1.Volume"},
                "x-kubernetes-patch-merge-key": "name",
                "x-kubernetes-patch-strategy": "merge,retainKeys",
            },
            "tolerations": {"type": "array", "items": _TEXTS, "x-kubernetes-list-type": "atomic"},
            "priority": _INT32,
            "raw": {"$ref": f"{_REF}io.k8s.apimachinery.pkg.runtime.RawExtension"},
        },
    },
    "io.k8s.api.core.v1.Container": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": _TEXT,
            "image": _TEXT,
            "pullPolicy": _TEXT,
            "args": {"type": "array", "items": _TEXT},
            "env": {
                "type": "array",
                "items": _TEXTS,
                "x-kubernetes-patch-merge-key": "name",
                "x-kubernetes-patch-strategy": "merge",
            },
            "limits": {
                "type": "object",
                "additionalProperties": {"$ref": f"{_REF}io.k8s.apimachinery.pkg.api.resource.Quantity"},
            },
            "securityContext": {"$ref": f"{_REF}io.k8s.api.core.v1.SecurityContext"},
        },
    },
    "io.k8s.api.core.v1.SecurityContext": {"type": "object", "properties": {"privileged": {"type": "boolean"}}},
    "io.k8s.api.core.v1.Volume": {
        "type": "object",
        "required": ["name"],
        "properties": {"name": _TEXT, "emptyDir": _TEXTS, "secret": _TEXTS},
    },
    "io.k8s.api.core.v1.Secret": {
        "type": ["object", "null"],
        "properties": {
            "apiVersion": {"type": ["string", "null"], "enum": ["v1"]},
            "kind": {"type": ["string", "null"], "enum": ["Secret"]},
            "metadata": {"$ref": f"{_REF}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
            "data": {
                "type": ["object", "null"],
                "additionalProperties": {"format": "byte", "type": ["string", "null"]},
            },
            "nested": {"$ref": f"{_REF}io.k8s.api.core.v1.Secret"},
        },
    },
}

GO_FIELDS = {
    "DeploymentStrategy": GoFields(),
    "DeploymentSpec": GoFields(pointers=frozenset({"replicas"}), always=frozenset({"selector", "template"})),
    "Container": GoFields(
        always=frozenset({"name"}), types={"pullPolicy": "v1.PullPolicy", "limits": "v1.ResourceList"}
    ),
    "SecurityContext": GoFields(pointers=frozenset({"privileged"})),
    "PodSpec": GoFields(pointers=frozenset({"priority"}), always=frozenset({"containers"})),
}
VALUE_STRUCTS = {"Deployment": ("metadata", "spec", "status"), "DeploymentSpec": ("strategy", "template")}

BUILDER = Builder(DEFINITIONS.__getitem__, value_structs=VALUE_STRUCTS, go_fields=GO_FIELDS)
DEPLOYMENT = BUILDER.build("io.k8s.api.apps.v1.Deployment")
SECRET = BUILDER.build("io.k8s.api.core.v1.Secret")

DEPLOYMENT_KIND = GroupVersionKind("apps", "v1", "Deployment")
SECRET_KIND = GroupVersionKind("", "v1", "Secret")


class Scheme:
    """The kinds of this module, and an older version of Deployment."""

    name = "test/scheme.go:1"

    def schema(self, group: str, version: str, kind: str) -> Schema | None:
        """See `decoding.Scheme`."""
        if (group, kind) == ("apps", "Deployment") and version in {"v1", "v1beta1"}:
            return DEPLOYMENT
        return SECRET if (group, version, kind) == SECRET_KIND else None

    def convertible(self, actual: GroupVersionKind, expected: GroupVersionKind) -> bool:
        """See `decoding.Scheme`."""
        return actual.kind == expected.kind


SCHEME = Scheme()
