"""What a pod may look like, word for word as kube-apiserver says it: one module per part of the pod.

`specs` is where kinds come in: pods, and everything that holds a pod template. Every function yields field errors in
kube-apiserver's order; nothing is looked at that is not there. Facts: pkg/apis/core/validation/validation.go.
"""
