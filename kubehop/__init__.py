"""kubehop: a Kubernetes-compatible API server taken apart at its handler-chain boundaries.

What the gateway and the stage services share lives here, knowing neither of them.
"""

__version__ = "0.1.0"
