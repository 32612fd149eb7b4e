"""The change record: one item-level modification as it is logged, sent and applied, byte for byte the same everywhere.

Fixed head (big-endian), then seen vector, partition key, sort key and image. The first byte is the format number;
golden files in the tests hold every format that was ever written. Keys are order-preserving key bytes
(`shared.model.keys`), the image is the encoded item (`shared.model.values`), absent for a delete.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import orjson

from shared.errors import CorruptRecordError
from shared.model.tables import Generation, catalog_generation
from shared.model.values import type_names
from shared.versions.versions import SeenVector, Version, decode_seen

format_number = 1
_head = struct.Struct(">BB16sHBQQQBHH")
_commit_us = struct.Struct(">Q")
_commit_us_offset = struct.calcsize(">BB16sHBQQ")
_seen_entry_bytes = 9
_integer_max = 2**63 - 1


class Kind(IntEnum):
    PUT = 1
    DELETE = 2
    EXPIRY = 3


class Lane(NamedTuple):
    """One partition of one table as a region's feed carries it."""

    generation: Generation
    partition: int


catalog_lane = Lane(catalog_generation, 0)


@dataclass(frozen=True, slots=True)
class Change:
    kind: Kind
    lane: Lane
    origin: int  # number of the region in which the change was made
    origin_sequence: int  # 1, 2, 3 … without gaps per origin and lane; 0 in a snapshot
    version: Version
    seen: SeenVector
    commit_us: int  # wall time of the commit at the origin, microseconds since 1970
    partition_key: bytes
    sort_key: bytes
    image: bytes | None


def encode_change(
    kind: Kind,
    lane: Lane,
    *,
    version: Version,
    origin_sequence: int,
    seen: bytes,
    commit_us: int,
    partition_key: bytes,
    sort_key: bytes,
    image: bytes | None,
) -> bytes:
    """The record of a change made in `version.region`; `seen` is an encoded vector. The commit path calls this."""
    return b"".join(
        (
            _head.pack(
                format_number,
                kind,
                lane.generation,
                lane.partition,
                version.region,
                origin_sequence,
                version.timestamp,
                commit_us,
                len(seen) // _seen_entry_bytes,
                len(partition_key),
                len(sort_key),
            ),
            seen,
            partition_key,
            sort_key,
            image or b"",
        )
    )


def decode_change(record: bytes) -> Change:
    """Raises `CorruptRecordError` for bytes that are no change record of a known format."""
    if not record or record[0] != format_number:
        raise CorruptRecordError(f"change record of unknown format {record[:1].hex() or '(empty)'}")
    try:
        fields = _head.unpack_from(record)
        _, kind, generation, partition, region, sequence, timestamp, commit_us, seen_count, pk_bytes, sk_bytes = fields
        seen_end = _head.size + seen_count * _seen_entry_bytes
        partition_end = seen_end + pk_bytes
        sort_end = partition_end + sk_bytes
        if sort_end > len(record) or not pk_bytes:
            raise CorruptRecordError("change record is shorter than its head says")
        seen = decode_seen(record[_head.size : seen_end])
        if max(sequence, timestamp, commit_us, *seen.values()) > _integer_max:
            raise CorruptRecordError("a sequence or time is larger than 63 bits")
        kind = Kind(kind)
        if (kind is Kind.PUT) != (len(record) > sort_end):
            raise CorruptRecordError("a put has an image, a delete or expiry has none")
        if kind is Kind.PUT and not _is_document(orjson.loads(record[sort_end:]), is_item=any(generation)):
            raise CorruptRecordError("an image is an encoded item")
        return Change(
            kind=kind,
            lane=Lane(Generation(generation), partition),
            origin=region,
            origin_sequence=sequence,
            version=Version(timestamp, region),
            seen=seen,
            commit_us=commit_us,
            partition_key=record[seen_end:partition_end],
            sort_key=record[partition_end:sort_end],
            image=record[sort_end:] if kind is Kind.PUT else None,
        )
    except (struct.error, ValueError) as error:
        raise CorruptRecordError(f"change record can't be decoded: {error}") from error


def commit_us_of(record: bytes) -> int | None:
    """The commit wall time of a record without decoding the rest; None when it has no head of a known format."""
    if len(record) < _head.size or record[0] != format_number:
        return None
    (commit_us,) = _commit_us.unpack_from(record, _commit_us_offset)
    return int(commit_us)


def _is_document(image: object, *, is_item: bool) -> bool:
    """An item's attributes are typed values; the catalog lane (generation zero) carries other JSON objects."""
    if not isinstance(image, dict):
        return False
    values = image.values() if is_item else ()
    return all(isinstance(value, dict) and len(value) == 1 and next(iter(value)) in type_names for value in values)
