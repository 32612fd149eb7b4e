"""ListStreams, DescribeStream, GetShardIterator and GetRecords: statements in DynamoDB's order of checks."""

import re
from typing import Any

from services.region.api.dynamodb import constraints, table_names
from services.region.api.dynamodb import members as shapes
from services.region.api.dynamodb.members import Members, Text, Whole, structure
from services.region.commands.streams import (
    DescribeStream,
    GetRecords,
    GetShardIterator,
    IteratorType,
    ListStreams,
    StreamName,
)
from shared import limits
from shared.errors import SerializationError, ValidationError

_invalid = "One or more parameter values were invalid: "
_arn_chars_max = 1024
_stream_arn = re.compile(
    r"arn:[^:/]+:dynamodb:([^:/]+):[^:/]+:table/([a-zA-Z0-9_.-]{3,255})/stream/([0-9T:.-]+)", re.ASCII
).fullmatch
_limit = Whole("Integer", min=1)
_shard_id = Text(length_min=28, length_max=65)
_list_streams = structure(
    "ListStreamsInput",
    TableName=Text(
        pattern=table_names.pattern, length_min=limits.table_name_chars_min, length_max=limits.table_name_chars_max
    ),
    Limit=_limit,
    ExclusiveStartStreamArn=shapes.text,
)
_describe_stream = structure(
    "DescribeStreamInput",
    "StreamArn",
    StreamArn=shapes.text,
    Limit=_limit,
    ExclusiveStartShardId=_shard_id,
    ShardFilter=structure("ShardFilter", Type=Text(enum=("CHILD_SHARDS",)), ShardId=_shard_id),
)
_get_shard_iterator = structure(
    "GetShardIteratorInput",
    *("StreamArn", "ShardId", "ShardIteratorType"),
    StreamArn=shapes.text,
    ShardId=_shard_id,
    ShardIteratorType=Text(
        enum=("AFTER_SEQUENCE_NUMBER", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "TRIM_HORIZON")
    ),
    SequenceNumber=Text(length_min=21, length_max=40),
    Timestamp=shapes.unread,
)
_get_records = structure(
    "GetRecordsInput",
    "ShardIterator",
    ShardIterator=Text(length_min=1, length_max=2048),
    Limit=_limit,
)


def parse_list_streams(request: dict[str, Any]) -> ListStreams:
    members = _list_streams.read(request)
    start_after = _stream_of(members, "ExclusiveStartStreamArn")
    constraints.check(members, _list_streams)
    limit = _limit_of(members, limits.list_streams_max, "Limit cannot be greater than the maximum allowed size: 100")
    return ListStreams(members.get("TableName"), limit, start_after)


def parse_describe_stream(request: dict[str, Any]) -> DescribeStream:
    members = _describe_stream.read(request)
    stream = _stream_of(members, "StreamArn")
    constraints.check(members, _describe_stream)
    limit = _limit_of(members, limits.describe_stream_shards_max, "Limit cannot be greater than the maximum: 100")
    shard_filter = members.get("ShardFilter", {})
    if shard_filter and shard_filter.keys() != {"Type", "ShardId"}:
        raise ValidationError(f"{_invalid}Both Type and ShardId must be specified in ShardFilter")
    assert stream is not None, "a required member"
    return DescribeStream(
        stream,
        limit,
        start_after=members.get("ExclusiveStartShardId"),
        children_of=shard_filter.get("ShardId"),
    )


def parse_get_shard_iterator(request: dict[str, Any]) -> GetShardIterator:
    members = _get_shard_iterator.read(request)
    time_us = _time_us_of(members)
    stream = _stream_of(members, "StreamArn")
    constraints.check(members, _get_shard_iterator)
    kind = IteratorType(members["ShardIteratorType"])
    _check_presence(members, "SequenceNumber", kind, kind.endswith("_SEQUENCE_NUMBER"))
    _check_presence(members, "Timestamp", kind, kind is IteratorType.AT_TIMESTAMP)
    assert stream is not None, "a required member"
    return GetShardIterator(stream, members["ShardId"], kind, members.get("SequenceNumber"), time_us)


def parse_get_records(request: dict[str, Any]) -> GetRecords:
    members = _get_records.read(request)
    constraints.check(members, _get_records)
    limit = _limit_of(members, limits.stream_records_max, "Limit should be less than or equal to 1000")
    return GetRecords(members["ShardIterator"].rpartition("|")[2], limit)


def _stream_of(members: Members, name: str) -> StreamName | None:
    """Told before all constraints; a member that is not there is theirs to tell."""
    arn = members.get(name)
    if arn is None:
        return None
    match = _stream_arn(arn) if len(arn) <= _arn_chars_max else None
    if match is None:
        raise ValidationError("Invalid StreamArn")
    region, table, label = match.groups()
    return StreamName(region, table, label, arn)


def _limit_of(members: Members, highest: int, refusal: str) -> int:
    limit: int = members.get("Limit", highest)
    if limit > highest:
        raise ValidationError(f"{_invalid}{refusal}")
    return limit


def _check_presence(members: Members, name: str, kind: IteratorType, wanted: object) -> None:
    if wanted and name not in members:
        raise ValidationError(f"{_invalid}{name} must be specified for ShardIteratorType {kind}")
    if name in members and not wanted:
        raise ValidationError(f"{_invalid}{name} must not be specified for ShardIteratorType {kind}")


def _time_us_of(members: Members) -> int | None:
    """Seconds since 1970, perhaps with a fraction."""
    seconds = members.get("Timestamp")
    if seconds is None:
        return None
    if type(seconds) not in (int, float) or not abs(seconds) < limits.timestamp_s_max:
        raise SerializationError
    return int(seconds * 1_000_000)
