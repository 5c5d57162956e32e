"""Messages of the KMS v2 plugin contract and of its sealed objects, as protobuf classes.

The contract is not ours and its package is plainly "v2" (k8s.io/kms apis/v2/api.proto; the sealed object:
k8s.io/apiserver pkg/storage/value/encrypt/envelope/kmsv2/v2/api.proto), so it is described here and not among kubehop's
protos.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE: Final = "v2.KeyManagementService"
_TEXT, _BYTES, _NUMBER = 9, 12, 5
_MAP: Final = 0
_MESSAGES: Final[dict[str, list[tuple[str, int, int]]]] = {
    "StatusRequest": [],
    "StatusResponse": [("version", 1, _TEXT), ("healthz", 2, _TEXT), ("key_id", 3, _TEXT)],
    "DecryptRequest": [("ciphertext", 1, _BYTES), ("uid", 2, _TEXT), ("key_id", 3, _TEXT), ("annotations", 4, _MAP)],
    "DecryptResponse": [("plaintext", 1, _BYTES)],
    "EncryptRequest": [("plaintext", 1, _BYTES), ("uid", 2, _TEXT)],
    "EncryptResponse": [("ciphertext", 1, _BYTES), ("key_id", 2, _TEXT), ("annotations", 3, _MAP)],
    "EncryptedObject": [
        ("encryptedData", 1, _BYTES),
        ("keyID", 2, _TEXT),
        ("encryptedDEKSource", 3, _BYTES),
        ("annotations", 4, _MAP),
        ("encryptedDEKSourceType", 5, _NUMBER),  # an enum on the wire is a number
    ],
}


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="kms/v2.proto", package="v2", syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            added = message.field.add(name=field, number=number, label=1, type=kind or 11)
            if kind == _MAP:
                entry = message.nested_type.add(name="AnnotationsEntry")
                entry.options.map_entry = True
                entry.field.add(name="key", number=1, label=1, type=_TEXT)
                entry.field.add(name="value", number=2, label=1, type=_BYTES)
                added.label, added.type_name = 3, f".v2.{name}.AnnotationsEntry"  # type: ignore[assignment]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = message_factory.GetMessageClassesForFiles(["kms/v2.proto"], pool)
    return {name.removeprefix("v2."): message for name, message in found.items()}


_CLASSES: Final = _classes()
StatusRequest: Final[Any] = _CLASSES["StatusRequest"]
StatusResponse: Final[Any] = _CLASSES["StatusResponse"]
DecryptRequest: Final[Any] = _CLASSES["DecryptRequest"]
DecryptResponse: Final[Any] = _CLASSES["DecryptResponse"]
EncryptRequest: Final[Any] = _CLASSES["EncryptRequest"]
EncryptResponse: Final[Any] = _CLASSES["EncryptResponse"]
EncryptedObject: Final[Any] = _CLASSES["EncryptedObject"]
