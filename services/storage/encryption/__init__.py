"""Encryption at rest, as an EncryptionConfiguration file of kube-apiserver's asks for it.

Between the etcd adapter and everything else: `sealed.SealedEtcd` is an `etcd.Etcd` whose values are plain on this side
and sealed in etcd. Formats are kube-apiserver's (kubernetes/apiserver pkg/storage/value/encrypt): either reads what the
other wrote.
"""
