"""Generated stubs of the contracts in protos/, one package a contract; see scripts/protos.py.

Import messages from the package (`from kubehop.pb.storage.v1 import GetRequest`), never from a `_pb2` module.
"""
