"""What the gateway does once it listens: the bootstrap objects of a cluster, as kube-apiserver's post-start hooks.

`hooks()` lists them; `PostStartHooks` runs them and answers for the readyz checks `poststarthook/<name>`.
"""

from __future__ import annotations

from gateway.hooks.listing import BootstrapSettings, hooks
from gateway.hooks.objects import Objects, StoredObjects
from gateway.hooks.runner import Hook, PostStartHooks

__all__ = ["BootstrapSettings", "Hook", "Objects", "PostStartHooks", "StoredObjects", "hooks"]
