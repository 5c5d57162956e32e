"""What a plugin may be built from: the cluster, the authorization stage, its part of the configuration file.

Made by `__main__`, handed to the factories of `registry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubehop.machinery.objects import Object
from services.admission.authorizer import Authorizer
from services.admission.cluster import Cluster
from services.admission.plugins.webhooks.calls import Caller


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The world of a plugin."""

    cluster: Cluster
    authorizer: Authorizer
    caller: Caller
    """Calls webhooks."""
    configurations: Mapping[str, Object] = field(default_factory=dict)
    """The configuration of each plugin that the AdmissionConfiguration file has one for, by name."""
