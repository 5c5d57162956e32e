"""The deployment that the kubectl tests work on, and how they look at what became of it."""

from __future__ import annotations

import json
from typing import Any

from tests.support.up import Cluster

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1", env: [{name: A, value: a}]}
      - {name: side, image: "side:1"}
"""


def read(cluster: Cluster, namespace: str, what: str, *flags: str) -> dict[str, Any]:
    """Return an object as kubectl prints it in JSON."""
    found: dict[str, Any] = json.loads(cluster.kubectl("-n", namespace, "get", what, "-o", "json", *flags).stdout)
    return found


def set_status(cluster: Cluster, namespace: str, what: str, status: dict[str, Any]) -> None:
    """Play the controller: write an object's status."""
    patch = json.dumps({"status": status})
    cluster.kubectl("-n", namespace, "patch", what, "--subresource=status", "--type=merge", "-p", patch)
