"""The heartbeat: once a second a region says what time it is and up to which sequence each moved lane is published."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from shared.changes.records import Lane
from shared.errors import CorruptRecordError
from shared.model.tables import Generation

format_number = 1
_head = struct.Struct(">BBQI")
_entry = struct.Struct(">16sHQ")


@dataclass(frozen=True, slots=True)
class Heartbeat:
    region: int
    time_us: int  # wall time at the source, microseconds since 1970
    heads: Mapping[Lane, int]  # published origin sequence of every lane that moved since the heartbeat before


def encode_heartbeat(heartbeat: Heartbeat) -> bytes:
    entries = (_entry.pack(*lane, sequence) for lane, sequence in heartbeat.heads.items())
    head = _head.pack(format_number, heartbeat.region, heartbeat.time_us, len(heartbeat.heads))
    return head + b"".join(entries)


def decode_heartbeat(record: bytes) -> Heartbeat:
    """Raises `CorruptRecordError` for bytes that are no heartbeat of a known format."""
    try:
        number, region, time_us, count = _head.unpack_from(record)
        if number != format_number or len(record) != _head.size + count * _entry.size:
            raise CorruptRecordError("not a heartbeat of a known format")
        entries = _entry.iter_unpack(record[_head.size :])
        heads = {Lane(Generation(generation), partition): head for generation, partition, head in entries}
        return Heartbeat(region, time_us, heads)
    except struct.error as error:
        raise CorruptRecordError(f"heartbeat can't be decoded: {error}") from error
