"""Versions of items and the seen vector: the two things that last-writer-wins is decided on.

A timestamp is 64 bits: 48 bits of milliseconds since 1970, 16 bits of counter (the shape of a hybrid logical clock,
Kulkarni et al. 2014). A version is (timestamp, region number) and versions compare as tuples. The seen vector
holds, for each region, the highest timestamp that an item version has seen: it tells *concurrent* from *later*
(a version vector, Parker et al. 1983, kept per item).
"""

import struct
from collections.abc import Mapping
from typing import NamedTuple

from shared.limits import timestamp_counter_bits

_entry = struct.Struct(">BQ")


class Version(NamedTuple):
    timestamp: int
    region: int

    @property
    def milliseconds(self) -> int:
        return self.timestamp >> timestamp_counter_bits


SeenVector = Mapping[int, int]  # region number -> highest timestamp seen


def timestamp_at(wall_us: int) -> int:
    """The timestamp of a wall clock reading, counter zero."""
    return wall_us // 1000 << timestamp_counter_bits


def next_timestamp(wall_us: int, stored: int) -> int:
    """The timestamp of a local write over a stored one (0 when there is none): it always beats what it saw."""
    return max(timestamp_at(wall_us), stored + 1)


def covers(seen: SeenVector, version: Version) -> bool:
    """Whether a state with this vector descends from `version`."""
    return seen.get(version.region, 0) >= version.timestamp


def merge_seen(left: SeenVector, right: SeenVector) -> SeenVector:
    merged = dict(left)
    for region, timestamp in right.items():
        if timestamp > merged.get(region, 0):
            merged[region] = timestamp
    return merged


def encode_seen(seen: SeenVector) -> bytes:
    """Nine bytes an entry, by region number, so that equal vectors have equal bytes."""
    if len(seen) == 1:
        return _entry.pack(*next(iter(seen.items())))
    return b"".join(_entry.pack(region, timestamp) for region, timestamp in sorted(seen.items()))


def decode_seen(encoded: bytes) -> SeenVector:
    return dict(_entry.iter_unpack(encoded))


def with_entry(encoded: bytes, region: int, timestamp: int) -> bytes:
    """The encoded vector of a local write over a stored vector: its own entry is set, the others stay."""
    if len(encoded) <= _entry.size and (not encoded or encoded[0] == region):
        return _entry.pack(region, timestamp)
    return encode_seen({**decode_seen(encoded), region: timestamp})
