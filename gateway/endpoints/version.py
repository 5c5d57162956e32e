"""/version: which Kubernetes this behaves as.

Clients decide by major and minor what they may ask for. Form as apimachinery pkg/version.Info.
"""

from __future__ import annotations

import json
import platform
import sys

from gateway.answers import Answer
from kubehop import __version__

MAJOR, MINOR, PATCH = "1", "36", "2"
GIT_VERSION = f"v{MAJOR}.{MINOR}.{PATCH}+kubehop"


def document() -> dict[str, str]:
    """Return version.Info."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return {
        "major": MAJOR,
        "minor": MINOR,
        "emulationMajor": MAJOR,
        "emulationMinor": MINOR,
        "minCompatibilityMajor": MAJOR,
        "minCompatibilityMinor": str(int(MINOR) - 1),
        "gitVersion": GIT_VERSION,
        "gitCommit": f"kubehop-{__version__}",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": "gc",  # clients and the conformance of answers expect Go's word here
        "platform": f"{sys.platform}/{machine}",
    }


_BODY = json.dumps(document(), indent=2).encode()


def answer() -> Answer:
    """Answer /version: indented, as kube-apiserver's is."""
    return Answer(200, _BODY)
