from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_ALREADY_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_CONFLICT: _ClassVar[ErrorReason]
    ERROR_REASON_EXPIRED: _ClassVar[ErrorReason]
    ERROR_REASON_FUTURE_REVISION: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_UNAVAILABLE: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_OUTCOME: _ClassVar[ErrorReason]
    ERROR_REASON_CORRUPT: _ClassVar[ErrorReason]

class Source(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_UNSPECIFIED: _ClassVar[Source]
    SOURCE_CACHE: _ClassVar[Source]
    SOURCE_STORE: _ClassVar[Source]

class EventType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_TYPE_UNSPECIFIED: _ClassVar[EventType]
    EVENT_TYPE_ADDED: _ClassVar[EventType]
    EVENT_TYPE_MODIFIED: _ClassVar[EventType]
    EVENT_TYPE_DELETED: _ClassVar[EventType]
    EVENT_TYPE_BOOKMARK: _ClassVar[EventType]
    EVENT_TYPE_ERROR: _ClassVar[EventType]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_NOT_FOUND: ErrorReason
ERROR_REASON_ALREADY_EXISTS: ErrorReason
ERROR_REASON_CONFLICT: ErrorReason
ERROR_REASON_EXPIRED: ErrorReason
ERROR_REASON_FUTURE_REVISION: ErrorReason
ERROR_REASON_INVALID: ErrorReason
ERROR_REASON_TOO_LARGE: ErrorReason
ERROR_REASON_UNAVAILABLE: ErrorReason
ERROR_REASON_UNKNOWN_OUTCOME: ErrorReason
ERROR_REASON_CORRUPT: ErrorReason
SOURCE_UNSPECIFIED: Source
SOURCE_CACHE: Source
SOURCE_STORE: Source
EVENT_TYPE_UNSPECIFIED: EventType
EVENT_TYPE_ADDED: EventType
EVENT_TYPE_MODIFIED: EventType
EVENT_TYPE_DELETED: EventType
EVENT_TYPE_BOOKMARK: EventType
EVENT_TYPE_ERROR: EventType

class Key(_message.Message):
    __slots__ = ("group", "resource", "namespace", "name")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    group: str
    resource: str
    namespace: str
    name: str
    def __init__(self, group: _Optional[str] = ..., resource: _Optional[str] = ..., namespace: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class CreateRequest(_message.Message):
    __slots__ = ("key", "object", "ttl_seconds")
    KEY_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    key: Key
    object: bytes
    ttl_seconds: int
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ..., object: _Optional[bytes] = ..., ttl_seconds: _Optional[int] = ...) -> None: ...

class CreateResponse(_message.Message):
    __slots__ = ("object", "revision", "store_key")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STORE_KEY_FIELD_NUMBER: _ClassVar[int]
    object: bytes
    revision: int
    store_key: str
    def __init__(self, object: _Optional[bytes] = ..., revision: _Optional[int] = ..., store_key: _Optional[str] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("key", "resource_version")
    KEY_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    key: Key
    resource_version: str
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ..., resource_version: _Optional[str] = ...) -> None: ...

class GetResponse(_message.Message):
    __slots__ = ("object", "revision", "source", "store_key")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STORE_KEY_FIELD_NUMBER: _ClassVar[int]
    object: bytes
    revision: int
    source: Source
    store_key: str
    def __init__(self, object: _Optional[bytes] = ..., revision: _Optional[int] = ..., source: _Optional[_Union[Source, str]] = ..., store_key: _Optional[str] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ("key", "label_selector", "field_selector", "resource_version", "resource_version_match", "limit", "continue_token", "with_type_meta")
    KEY_FIELD_NUMBER: _ClassVar[int]
    LABEL_SELECTOR_FIELD_NUMBER: _ClassVar[int]
    FIELD_SELECTOR_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_VERSION_MATCH_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CONTINUE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WITH_TYPE_META_FIELD_NUMBER: _ClassVar[int]
    key: Key
    label_selector: str
    field_selector: str
    resource_version: str
    resource_version_match: str
    limit: int
    continue_token: str
    with_type_meta: bool
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ..., label_selector: _Optional[str] = ..., field_selector: _Optional[str] = ..., resource_version: _Optional[str] = ..., resource_version_match: _Optional[str] = ..., limit: _Optional[int] = ..., continue_token: _Optional[str] = ..., with_type_meta: _Optional[bool] = ...) -> None: ...

class ListResponse(_message.Message):
    __slots__ = ("header", "chunk")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    header: ListHeader
    chunk: ListChunk
    def __init__(self, header: _Optional[_Union[ListHeader, _Mapping]] = ..., chunk: _Optional[_Union[ListChunk, _Mapping]] = ...) -> None: ...

class ListHeader(_message.Message):
    __slots__ = ("revision", "continue_token", "remaining_item_count", "source")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CONTINUE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REMAINING_ITEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    revision: int
    continue_token: str
    remaining_item_count: int
    source: Source
    def __init__(self, revision: _Optional[int] = ..., continue_token: _Optional[str] = ..., remaining_item_count: _Optional[int] = ..., source: _Optional[_Union[Source, str]] = ...) -> None: ...

class ListChunk(_message.Message):
    __slots__ = ("items", "count")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    items: bytes
    count: int
    def __init__(self, items: _Optional[bytes] = ..., count: _Optional[int] = ...) -> None: ...

class ListPageRequest(_message.Message):
    __slots__ = ("list",)
    LIST_FIELD_NUMBER: _ClassVar[int]
    list: ListRequest
    def __init__(self, list: _Optional[_Union[ListRequest, _Mapping]] = ...) -> None: ...

class ListPageResponse(_message.Message):
    __slots__ = ("header", "items", "count")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    header: ListHeader
    items: bytes
    count: int
    def __init__(self, header: _Optional[_Union[ListHeader, _Mapping]] = ..., items: _Optional[bytes] = ..., count: _Optional[int] = ...) -> None: ...

class UpdateRequest(_message.Message):
    __slots__ = ("key", "object", "expected_revision", "ttl_seconds")
    KEY_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    key: Key
    object: bytes
    expected_revision: int
    ttl_seconds: int
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ..., object: _Optional[bytes] = ..., expected_revision: _Optional[int] = ..., ttl_seconds: _Optional[int] = ...) -> None: ...

class UpdateResponse(_message.Message):
    __slots__ = ("object", "revision", "store_key", "unchanged")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STORE_KEY_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    object: bytes
    revision: int
    store_key: str
    unchanged: bool
    def __init__(self, object: _Optional[bytes] = ..., revision: _Optional[int] = ..., store_key: _Optional[str] = ..., unchanged: _Optional[bool] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("key", "expected_revision", "expected_uid")
    KEY_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_UID_FIELD_NUMBER: _ClassVar[int]
    key: Key
    expected_revision: int
    expected_uid: str
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ..., expected_revision: _Optional[int] = ..., expected_uid: _Optional[str] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ("object", "revision", "store_key")
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STORE_KEY_FIELD_NUMBER: _ClassVar[int]
    object: bytes
    revision: int
    store_key: str
    def __init__(self, object: _Optional[bytes] = ..., revision: _Optional[int] = ..., store_key: _Optional[str] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("key", "label_selector", "field_selector", "resource_version", "resource_version_match", "allow_bookmarks", "send_initial_events")
    KEY_FIELD_NUMBER: _ClassVar[int]
    LABEL_SELECTOR_FIELD_NUMBER: _ClassVar[int]
    FIELD_SELECTOR_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_VERSION_MATCH_FIELD_NUMBER: _ClassVar[int]
    ALLOW_BOOKMARKS_FIELD_NUMBER: _ClassVar[int]
    SEND_INITIAL_EVENTS_FIELD_NUMBER: _ClassVar[int]
    key: Key
    label_selector: str
    field_selector: str
    resource_version: str
    resource_version_match: str
    allow_bookmarks: bool
    send_initial_events: bool
    def __init__(self, key: _Optional[_Union[Key, _Mapping]] = ..., label_selector: _Optional[str] = ..., field_selector: _Optional[str] = ..., resource_version: _Optional[str] = ..., resource_version_match: _Optional[str] = ..., allow_bookmarks: _Optional[bool] = ..., send_initial_events: _Optional[bool] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[WatchEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[WatchEvent, _Mapping]]] = ...) -> None: ...

class WatchEvent(_message.Message):
    __slots__ = ("type", "object", "revision", "initial_events_end", "error")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    INITIAL_EVENTS_END_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    type: EventType
    object: bytes
    revision: int
    initial_events_end: bool
    error: WatchError
    def __init__(self, type: _Optional[_Union[EventType, str]] = ..., object: _Optional[bytes] = ..., revision: _Optional[int] = ..., initial_events_end: _Optional[bool] = ..., error: _Optional[_Union[WatchError, _Mapping]] = ...) -> None: ...

class WatchError(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: ErrorReason
    message: str
    def __init__(self, reason: _Optional[_Union[ErrorReason, str]] = ..., message: _Optional[str] = ...) -> None: ...

class RevisionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RevisionResponse(_message.Message):
    __slots__ = ("revision", "cached_revision")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    CACHED_REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    cached_revision: int
    def __init__(self, revision: _Optional[int] = ..., cached_revision: _Optional[int] = ...) -> None: ...
