"""The admission plugins that are built, one module each, named like kube-apiserver's packages where that reads well.

`chain.py` knows their order, `registry.py` builds them.
"""
