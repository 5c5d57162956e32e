"""Kubernetes' protobuf bodies, made here byte by byte as the specification says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubehop.kinds import protobuf as kinds
from kubehop.machinery.protobuf import MAGIC, ProtobufError, unwrap


def varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, content: bytes | str | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    raw = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    return MAGIC + field(1, field(1, api_version) + field(2, kind)) + field(2, raw)


def test_a_config_map() -> None:
    """Strings, maps of strings and maps of bytes."""
    raw = (
        field(1, field(1, "a") + field(11, field(1, "app") + field(2, "web")))
        + field(2, field(1, "k") + field(2, "v"))
        + field(2, field(1, "empty"))
        + field(3, field(1, "b") + field(2, b"\x00\x01"))
        + field(4, 1)
    )
    assert kinds.decode(envelope("v1", "ConfigMap", raw)) == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "a", "labels": {"app": "web"}},
        "data": {"k": "v", "empty": ""},
        "binaryData": {"b": "AAE="},
        "immutable": True,
    }


def test_types_that_json_writes_differently() -> None:
    """Times, int-or-string, quantities, negative numbers and embedded messages."""
    named = field(3, 80) + field(4, field(1, 1) + field(2, 0) + field(3, "web"))
    numbered = field(3, 81) + field(4, field(1, 0) + field(2, 8081))
    volume = field(1, "v") + field(2, field(2, field(2, field(1, "1Gi"))))
    service = kinds.decode(envelope("v1", "Service", field(2, field(1, named) + field(1, numbered))))
    assert service["spec"]["ports"] == [{"port": 80, "targetPort": "web"}, {"port": 81, "targetPort": 8081}]
    pod = kinds.decode(envelope("v1", "Pod", field(1, field(8, field(1, 1700000000))) + field(2, field(1, volume))))
    assert pod["metadata"]["creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert pod["spec"]["volumes"] == [{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}]
    priority = kinds.decode(envelope("scheduling.k8s.io/v1", "PriorityClass", field(2, -5)))
    assert priority["value"] == -5


def test_the_zero_time_is_none() -> None:
    """Go writes an unset time as an empty message."""
    made = kinds.decode(envelope("v1", "ConfigMap", field(1, field(1, "a") + field(8, b""))))
    assert made["metadata"]["creationTimestamp"] is None


def test_unknown_fields_are_skipped() -> None:
    """What a newer client adds is not an error."""
    raw = field(1, field(1, "a")) + field(1999, "later") + field(1998, 3)
    assert kinds.decode(envelope("v1", "ConfigMap", raw))["metadata"] == {"name": "a"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{}", "does not appear to be a protobuf message"),
        (envelope("v1", "Nothing", b""), 'no kind "Nothing" is registered for version "v1"'),
        (envelope("v1", "ConfigMap", b"\x0a\xff"), "unexpected EOF"),
        (envelope("v1", "ConfigMap", field(1, field(1, b"\xff"))), "not valid UTF-8"),
        (envelope("v1", "ConfigMap", field(1, 5)), "wrong wireType"),
    ],
)
def test_bad_bodies(data: bytes, message: str) -> None:
    """Each says what is wrong."""
    with pytest.raises(ProtobufError, match=message):
        kinds.decode(data)


@given(st.binary(max_size=200), st.sampled_from(["ConfigMap", "Pod", "Service", "Node"]))
def test_arbitrary_content_is_read_or_refused(raw: bytes, kind: str) -> None:
    """No body raises anything but ProtobufError."""
    for data in (raw, MAGIC + raw, envelope("v1", kind, raw)):
        try:
            kinds.decode(data)
        except ProtobufError:
            continue


def test_the_envelope() -> None:
    """Type and content come apart."""
    opened = unwrap(envelope("apps/v1", "Deployment", b"\x0a\x00"))
    assert opened[:3] == ("apps/v1", "Deployment", b"\x0a\x00")
