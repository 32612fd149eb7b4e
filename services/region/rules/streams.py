"""Streams as views of the change log: what of a change a stream shows, and how its positions are written.

A shard is one partition's log between the sequences at which the stream was enabled and disabled. Numbers of records
sort as the partition's sequences do and name their partition, so that no two records of a stream share one.
"""

import hmac
import struct
from base64 import b64decode, b64encode
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import NamedTuple

from services.region.commands.streams import EventName, StreamRecord
from shared.changes.records import Change, Kind
from shared.errors import ValidationError
from shared.limits import shard_iterator_age_max_s, stream_age_max_s
from shared.model.keys import KeySchema
from shared.model.sizes import item_size_bytes
from shared.model.tables import Generation, StreamSpecification, TableDefinition
from shared.model.values import Item, decode_item, same_item

_label_step_us = 1000
_partition_digits = 3
_sequence_digits = 20
_number_digits = 1 + _sequence_digits + _partition_digits
_iterator = struct.Struct(">B16sQHQQ")
_iterator_format = 1
_mac_bytes = 16
_new_views = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
_old_views = ("OLD_IMAGE", "NEW_AND_OLD_IMAGES")


@dataclass(frozen=True, slots=True)
class KeptStream:
    """A stream that a table has, or had in the last 24 hours, in this region."""

    generation: Generation
    table: str
    view_type: str
    enabled_us: int
    started: tuple[int, ...]  # by partition, the sequence before its first record
    disabled_us: int | None = None
    ended: tuple[int, ...] | None = None  # by partition, its last sequence

    @property
    def label(self) -> str:
        return label_of(self.enabled_us)

    def is_readable(self, now_us: int) -> bool:
        return self.disabled_us is None or now_us < self.disabled_us + stream_age_max_s * 1_000_000


class IteratorPlace(NamedTuple):
    """Where a shard iterator stands: behind the sequence `after` of one partition of one stream."""

    generation: Generation
    enabled_us: int
    partition: int
    after: int
    issued_us: int

    def is_expired(self, now_us: int) -> bool:
        return now_us - self.issued_us > shard_iterator_age_max_s * 1_000_000


def with_stream(definition: TableDefinition, wanted: StreamSpecification, now_us: int) -> TableDefinition:
    """The definition with its stream enabled or disabled; refuses what would change nothing, as DynamoDB does."""
    if wanted.enabled and has_stream(definition):
        raise ValidationError(f"Table already has an enabled stream: TableName: {definition.name}")
    if wanted.enabled:
        latest_us = definition.stream_since_us or 0
        return replace(definition, stream=wanted, stream_since_us=max(now_us, latest_us + _label_step_us))
    if not has_stream(definition):
        raise ValidationError(f"Table has no stream to disable: TableName: {definition.name}")
    if len(definition.replicas) > 1:
        raise ValidationError(
            "One or more parameter values were invalid: Disabling Stream is not allowed for a Global Table replica."
        )
    return replace(definition, stream=None)


def has_stream(definition: TableDefinition) -> bool:
    return definition.stream is not None and definition.stream.enabled


def label_of(enabled_us: int) -> str:
    """Milliseconds of UTC, as DynamoDB names streams."""
    seconds, microseconds = divmod(enabled_us, 1_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{microseconds // 1000:03d}"


def shard_id(generation: Generation, enabled_us: int, partition: int) -> str:
    return f"shardId-{enabled_us // 1000:0{_sequence_digits}d}-{partition:02x}{generation[:3].hex()}"


def sequence_number(sequence: int, partition: int) -> str:
    """As many digits for every sequence, so that they sort as text and as numbers."""
    return f"1{sequence:0{_sequence_digits}d}{partition:0{_partition_digits}d}"


def sequence_of(number: str) -> int | None:
    """The sequence that a number stands for, whichever shard gave it; None if it is no such number."""
    if len(number) != _number_digits or not (number.isascii() and number.isdecimal()):
        return None
    sequence, partition = divmod(int(number[1:]), 10**_partition_digits)
    return sequence if number == sequence_number(sequence, partition) else None


def encode_iterator(place: IteratorPlace, key: bytes) -> str:
    """Self-contained, and only good when it was made with this key."""
    content = _iterator.pack(_iterator_format, *place)
    return b64encode(content + _mac(content, key)).decode()


def decode_iterator(token: str, key: bytes) -> IteratorPlace | None:
    """None for anything that was not made here."""
    try:
        sealed = b64decode(token, validate=True)
    except ValueError:
        return None
    if b64encode(sealed).decode() != token:  # the last character has bits to spare
        return None
    content = sealed[:-_mac_bytes]
    if len(content) != _iterator.size or not hmac.compare_digest(_mac(content, key), sealed[-_mac_bytes:]):
        return None
    number, generation, *rest = _iterator.unpack(content)
    return IteratorPlace(Generation(generation), *rest) if number == _iterator_format else None


def stream_record(
    change: Change,
    *,
    sequence: int,
    commit_us: int,
    old_image: bytes | None,
    made_here: bool,
    schema: KeySchema,
    view_type: str,
    region: str,
) -> StreamRecord | None:
    """The record of a change as it was logged here; None for one that changed nothing."""
    if change.image == old_image:
        return None
    new = None if change.image is None else decode_item(change.image)
    old = None if old_image is None else decode_item(old_image)
    if new is not None and old is not None and same_item(new, old):
        return None
    item = new or old
    assert item is not None, "one of them differs from none"
    keys = schema.key_of(item)
    shows_new, shows_old = view_type in _new_views, view_type in _old_views
    return StreamRecord(
        event_id=_event_id(change, sequence, region),
        event_name=_event_name(new, old),
        commit_us=commit_us,
        keys=keys,
        new_image=change.image if shows_new else None,
        old_image=old_image if shows_old else None,
        sequence_number=sequence_number(sequence, change.lane.partition),
        size_bytes=item_size_bytes(keys)
        + (item_size_bytes(new) if new is not None and shows_new else 0)
        + (item_size_bytes(old) if old is not None and shows_old else 0),
        view_type=view_type,
        by_service=made_here and change.kind is Kind.EXPIRY,
    )


def _event_name(new: Item | None, old: Item | None) -> EventName:
    if new is None:
        return EventName.REMOVE
    return EventName.INSERT if old is None else EventName.MODIFY


def _event_id(change: Change, sequence: int, region: str) -> str:
    """The same however often the record is read."""
    place = b"%b.%d.%d.%b" % (change.lane.generation, change.lane.partition, sequence, region.encode())
    return blake2b(place, digest_size=16).hexdigest()


def _mac(content: bytes, key: bytes) -> bytes:
    return blake2b(content, key=key, digest_size=_mac_bytes, person=b"shard-iterator").digest()
