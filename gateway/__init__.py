"""The gateway: the HTTPS front of kubehop, and the only process that Kubernetes clients talk to.

It receives a request, asks the stages in the order of kube-apiserver's handler chain (`gateway.chain`), does the
Kubernetes API machinery between them, and writes the answer. Start reading at `gateway.chain`.
"""
