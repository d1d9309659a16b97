"""Requests that aiokafka lacks.

Metadata v10 tells a topic's id: a topic deleted and made again has another. LeaveGroup v3 knows static members.
"""

from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)


class Uuid(AbstractType):
    """Sixteen bytes on the wire."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        """Write."""
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        """Read."""
        return UUID(bytes=data.read(16))


class MetadataResponse_v10(Response):  # noqa: N801 - named as aiokafka names its versions
    """Brokers, topics with ids, and partitions with leaders."""

    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class MetadataRequest_v10(RequestStruct):  # noqa: N801 - as above
    """Ask for topics by name; never creates one."""

    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = MetadataResponse_v10
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicIdsRequest(Request[MetadataRequest_v10]):
    """Metadata of the named topics, with their ids."""

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401 - aiokafka is untyped
        """Make the request of the negotiated version."""
        wanted: list[tuple[UUID, str, dict[int, bytes]]] = [(UUID(int=0), name, {}) for name in self._topics]
        return request_struct_class(wanted, False, False, False, {})  # noqa: FBT003 - the wire's positional order


class Member(NamedTuple):
    """By what a group knows a member."""

    member_id: str
    """Empty when the group has told none yet; a static member is known by its name then."""
    instance_id: str | None


class LeaveGroupResponse_v3(Response):  # noqa: N801 - as above
    """What became of each member."""

    API_KEY = 13
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "members",
            Array(("member_id", String("utf-8")), ("instance_id", String("utf-8")), ("error_code", Int16)),
        ),
    )


class LeaveGroupRequest_v3(RequestStruct):  # noqa: N801 - as above
    """Members that leave, each by its id and its `group.instance.id`."""

    API_KEY = 13
    API_VERSION = 3
    RESPONSE_TYPE = LeaveGroupResponse_v3
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("members", Array(("member_id", String("utf-8")), ("instance_id", String("utf-8")))),
    )


class LeaveGroupRequest(Request[LeaveGroupRequest_v3]):
    """One member leaves its group."""

    API_KEY = 13

    def __init__(self, group: str, member: Member) -> None:
        self._group, self._member = group, member

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401 - aiokafka is untyped
        """Make the request of the negotiated version."""
        return request_struct_class(self._group, [tuple(self._member)])
