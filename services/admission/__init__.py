"""The admission stage: changes and accepts objects on their way to storage.

`chain.py` is the map: every plugin of kube-apiserver v1.36 in its order. One file per plugin in `plugins/`.
"""
