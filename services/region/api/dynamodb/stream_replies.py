"""Answers of the Streams API; images are spliced in as they are stored."""

from typing import Any

import orjson

from services.region.commands.streams import (
    ListedStream,
    Shard,
    ShardIterator,
    StreamDescription,
    StreamNames,
    StreamRecord,
    StreamRecords,
)
from services.region.rules.arns import Arns

_service = b',"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}'


def stream_names(result: StreamNames, _command: object, *, arns: Arns) -> bytes:
    members: dict[str, Any] = {
        "Streams": [
            {"StreamArn": _arn(stream, arns), "TableName": stream.table, "StreamLabel": stream.label}
            for stream in result.streams
        ]
    }
    if result.last is not None:
        members["LastEvaluatedStreamArn"] = _arn(result.last, arns)
    return orjson.dumps(members)


def stream_description(result: StreamDescription, _command: object, *, arns: Arns) -> bytes:
    keys = zip(result.key_schema.names, ("HASH", "RANGE"), strict=False)
    members: dict[str, Any] = {
        "StreamArn": _arn(result, arns),
        "StreamLabel": result.label,
        "StreamStatus": "ENABLED" if result.enabled else "DISABLED",
        "StreamViewType": result.view_type,
        "CreationRequestDateTime": result.enabled_us // 1000 / 1000,
        "TableName": result.table,
        "KeySchema": [{"AttributeName": name, "KeyType": key_type} for name, key_type in keys],
        "Shards": [_shard(shard) for shard in result.shards],
    }
    if result.last_shard is not None:
        members["LastEvaluatedShardId"] = result.last_shard
    return orjson.dumps({"StreamDescription": members})


def shard_iterator(result: ShardIterator, _command: object, *, arns: Arns) -> bytes:
    return orjson.dumps({"ShardIterator": _iterator(result, arns)})


def stream_records(result: StreamRecords, _command: object, *, arns: Arns) -> bytes:
    """A shard that is read to its end has no next iterator."""
    body = b'{"Records":[' + b",".join(_record(record, arns) for record in result.records) + b"]"
    if result.next is None:
        return body + b"}"
    return body + b',"NextShardIterator":' + orjson.dumps(_iterator(result.next, arns)) + b"}"


def _shard(shard: Shard) -> dict[str, Any]:
    span = {"StartingSequenceNumber": shard.starting}
    if shard.ending is not None:
        span["EndingSequenceNumber"] = shard.ending
    return {"ShardId": shard.id, "SequenceNumberRange": span}


def _record(record: StreamRecord, arns: Arns) -> bytes:
    head = {
        "eventID": record.event_id,
        "eventName": record.event_name.value,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": arns.region,
    }
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": record.commit_us // 1_000_000,
        "Keys": record.keys,
        "SequenceNumber": record.sequence_number,
        "SizeBytes": record.size_bytes,
        "StreamViewType": record.view_type,
    }
    if record.new_image is not None:
        change["NewImage"] = orjson.Fragment(record.new_image)
    if record.old_image is not None:
        change["OldImage"] = orjson.Fragment(record.old_image)
    encoded = orjson.dumps(head | {"dynamodb": change})
    return encoded[:-1] + _service + b"}" if record.by_service else encoded


def _arn(stream: ListedStream | StreamDescription | ShardIterator, arns: Arns) -> str:
    return arns.of_stream(stream.table, stream.label)


def _iterator(iterator: ShardIterator, arns: Arns) -> str:
    return f"{_arn(iterator, arns)}|1|{iterator.token}"
