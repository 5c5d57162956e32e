"""Addresses and ports that services take from the cluster, without two services ever having the same.

The writing pipelines use `Allocations`; what is given away is kept in the store, so that any number of gateways share
it, and `repair` puts right what a gateway that died left behind.
"""

from __future__ import annotations

from gateway.allocation.cluster_ips import ClusterIPs
from gateway.allocation.node_ports import NodePorts, PortRange
from gateway.allocation.services import NO_CLAIMS, Allocations, Claims

__all__ = ["NO_CLAIMS", "Allocations", "Claims", "ClusterIPs", "NodePorts", "PortRange"]
