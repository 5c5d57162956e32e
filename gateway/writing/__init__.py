"""How objects come to be written: what create, update, patch, apply and delete have in common.

The order inside is kube-apiserver's: decode, own, admit, prepare, validate, accept, store
(apiserver pkg/endpoints/handlers and pkg/registry/{rest,generic/registry}).
"""
