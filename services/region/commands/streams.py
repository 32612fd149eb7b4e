"""Commands of the Streams API and what they answer: streams, their shards, iterators and records."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from shared.model.keys import KeySchema
from shared.model.values import Item


class IteratorType(StrEnum):
    TRIM_HORIZON = "TRIM_HORIZON"
    LATEST = "LATEST"
    AT_SEQUENCE_NUMBER = "AT_SEQUENCE_NUMBER"
    AFTER_SEQUENCE_NUMBER = "AFTER_SEQUENCE_NUMBER"
    AT_TIMESTAMP = "AT_TIMESTAMP"


class EventName(StrEnum):
    INSERT = "INSERT"
    MODIFY = "MODIFY"
    REMOVE = "REMOVE"


class StreamName(NamedTuple):
    """What a stream's ARN says; `arn` is the ARN as the request has it."""

    region: str
    table: str
    label: str
    arn: str


@dataclass(frozen=True, slots=True)
class ListStreams:
    table: str | None = None
    limit: int = 100
    start_after: StreamName | None = None


@dataclass(frozen=True, slots=True)
class DescribeStream:
    stream: StreamName
    limit: int = 100
    start_after: str | None = None  # a shard's id
    children_of: str | None = None  # a shard's id; None: all shards


@dataclass(frozen=True, slots=True)
class GetShardIterator:
    stream: StreamName
    shard: str
    type: IteratorType
    sequence_number: str | None = None
    time_us: int | None = None


@dataclass(frozen=True, slots=True)
class GetRecords:
    iterator: str
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class ListedStream:
    table: str
    label: str


@dataclass(frozen=True, slots=True)
class StreamNames:
    streams: Sequence[ListedStream]
    last: ListedStream | None  # where the next page starts after


@dataclass(frozen=True, slots=True)
class Shard:
    """The changes of one partition while the stream was on; `ending` is None while it still is."""

    id: str
    starting: str
    ending: str | None


@dataclass(frozen=True, slots=True)
class StreamDescription:
    table: str
    label: str
    enabled: bool
    view_type: str
    enabled_us: int
    key_schema: KeySchema
    shards: Sequence[Shard]
    last_shard: str | None  # where the next page starts after


@dataclass(frozen=True, slots=True)
class ShardIterator:
    """`token` is opaque to clients."""

    table: str
    label: str
    token: str


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change as its stream shows it; images are encoded items, None where there is none to show."""

    event_id: str
    event_name: EventName
    commit_us: int
    keys: Item
    new_image: bytes | None
    old_image: bytes | None
    sequence_number: str
    size_bytes: int
    view_type: str
    by_service: bool  # an expiry, not somebody's request


@dataclass(frozen=True, slots=True)
class StreamRecords:
    records: Sequence[StreamRecord]
    next: ShardIterator | None  # None: a closed shard is read to its end
