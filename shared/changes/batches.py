"""Batches: change records on their way between a region and a replicator, as one HTTP body.

A JSON head (what the batch is about), the lanes that occur, then the records, each with its lane and its origin
sequence outside of the record, so that a record that can't be decoded still has its position.
"""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from shared.changes.records import Lane
from shared.errors import CorruptRecordError
from shared.model.tables import Generation

format_number = 1
content_type = "application/vnd.meridian.batch"
_head = struct.Struct(">BIHI")  # format, JSON bytes, lanes, records
_lane = struct.Struct(">16sH")
_record = struct.Struct(">HQqI")  # lane index, sequence, offset, bytes
no_offset = -1


class Delivery(NamedTuple):
    """One record of one lane; `sequence` is its origin sequence, `offset` its place in Kafka, if it came from there."""

    lane: Lane
    sequence: int
    record: bytes
    offset: int = no_offset


class Batch(NamedTuple):
    head: dict[str, Any]
    deliveries: Sequence[Delivery]


def encode_batch(head: dict[str, Any], deliveries: Sequence[Delivery]) -> bytes:
    indexes: dict[Lane, int] = {}
    parts = []
    for lane, sequence, record, offset in deliveries:
        index = indexes.setdefault(lane, len(indexes))
        parts.append(_record.pack(index, sequence, offset, len(record)))
        parts.append(record)
    encoded_head = orjson.dumps(head)
    start = _head.pack(format_number, len(encoded_head), len(indexes), len(deliveries))
    return b"".join((start, encoded_head, *(_lane.pack(*lane) for lane in indexes), *parts))


def decode_batch(body: bytes) -> Batch:
    """Raises `CorruptRecordError` for a body that is not exactly one batch."""
    try:
        number, head_bytes, lane_count, record_count = _head.unpack_from(body)
        if number != format_number:
            raise CorruptRecordError(f"batch of unknown format {number}")
        at = _head.size + head_bytes
        head = orjson.loads(body[_head.size : at])
        lanes = []
        for _ in range(lane_count):
            generation, partition = _lane.unpack_from(body, at)
            lanes.append(Lane(Generation(generation), partition))
            at += _lane.size
        deliveries = []
        for _ in range(record_count):
            index, sequence, offset, length = _record.unpack_from(body, at)
            at += _record.size
            record = body[at : at + length]
            if len(record) != length:
                raise CorruptRecordError("batch ends inside a record")
            at += length
            deliveries.append(Delivery(lanes[index], sequence, record, offset))
    except (struct.error, orjson.JSONDecodeError, IndexError) as error:
        raise CorruptRecordError(f"batch can't be decoded: {error}") from error
    if at != len(body) or not isinstance(head, dict):
        raise CorruptRecordError("batch is longer than its head says")
    return Batch(head, deliveries)
