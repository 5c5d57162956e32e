"""What a patch of a real manifest costs: a Deployment of some sixty lines, sent whole onto the stored one.

Used by `bench.__main__`. Each request changes one annotation, so that each is a write.
"""

from __future__ import annotations

import json

from bench.load import Request

DEPLOYMENTS = "/apis/apps/v1/namespaces/bench/deployments"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


def _probe(path: str) -> dict[str, object]:
    return {"httpGet": {"path": path, "port": 8080}, "initialDelaySeconds": 5, "periodSeconds": 10, "timeoutSeconds": 2}


def deployment(name: str) -> str:
    """A manifest of the size that people write, as JSON."""
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "shop"}
    web = {
        "name": "web",
        "image": "registry.example/shop/web:1.2.3",
        "args": ["--listen=:8080", "--log-level=info"],
        "ports": [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9090}],
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "DATABASE", "valueFrom": {"secretKeyRef": {"name": "database", "key": "url"}}},
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "readinessProbe": _probe("/ready"),
        "livenessProbe": _probe("/healthy"),
        "volumeMounts": [{"name": "config", "mountPath": "/etc/shop", "readOnly": True}],
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True},
    }
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "labels": labels, "annotations": {"example.com/build": "{n}"}},
            "spec": {
                "replicas": 3,
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "serviceAccountName": "web",
                        "terminationGracePeriodSeconds": 30,
                        "containers": [web, {"name": "log", "image": "registry.example/log:2"}],
                        "volumes": [{"name": "config", "configMap": {"name": "web"}}],
                    },
                },
            },
        }
    )


REQUESTS = [
    Request(
        "PATCH (strategic) of a Deployment",
        f"{DEPLOYMENTS}/patched",
        "PATCH",
        deployment("patched"),
        {"Content-Type": STRATEGIC},
    ),
    Request(
        "APPLY of a Deployment",
        f"{DEPLOYMENTS}/applied?fieldManager=bench&force=true",
        "PATCH",
        deployment("applied"),
        {"Content-Type": APPLY},
    ),
]
