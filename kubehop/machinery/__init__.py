"""API machinery: what every Kubernetes object and request has in common, whatever its kind.

Pure functions and values: no gRPC, no HTTP, no stubs, and no knowledge of any kind. The gateway, the stages and the
kinds build on it; errors leave it as `kubehop.machinery.status.StatusError`.
"""
