"""Keys: which attributes identify an item, and bytes that sort as DynamoDB sorts keys.

Strings sort by UTF-8 bytes, binaries as unsigned bytes, numbers by value. A partition key's bytes also give the
item's slot, one of 65,536; partitions, scan segments and digests are slot ranges.
"""

import re
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import md5
from typing import NamedTuple

from shared import limits
from shared.errors import ValidationError
from shared.model.numbers import scientific_parts
from shared.model.values import AttributeValue, Item

_zero = b"\x80"
_exponent_bias = 192
_negative_end = 102
_pairs_max = 20  # of 38 digits
_hash_salt = b"Outliers"


@dataclass(frozen=True, slots=True)
class KeyAttribute:
    name: str
    type: str  # "S", "N" or "B"


@dataclass(frozen=True, slots=True)
class KeySchema:
    partition: KeyAttribute
    sort: KeyAttribute | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (self.partition.name,) if self.sort is None else (self.partition.name, self.sort.name)

    def key_of(self, item: Item) -> Item:
        """The key attributes of an item that has them."""
        return {name: item[name] for name in self.names}


class ItemKey(NamedTuple):
    """Where an item lives: rows are ordered by (slot, partition key, sort key); `sort` is empty without a sort key."""

    slot: int
    partition: bytes
    sort: bytes


def item_key(schema: KeySchema, item: Item) -> ItemKey:
    """The key of an item (or of a key) whose key attributes were checked to be there with the right types."""
    partition = key_bytes(item[schema.partition.name])
    sort = b"" if schema.sort is None else key_bytes(item[schema.sort.name])
    return ItemKey(slot_of(partition), partition, sort)


def key_bytes(value: AttributeValue) -> bytes:
    """Order-preserving bytes of a key attribute; values of one type compare as DynamoDB compares them."""
    for kind, content in value.items():
        if kind == "S":
            return content.encode()  # type: ignore[no-any-return]
        if kind == "N":
            return number_key_bytes(content)
        return b64decode(content)
    raise ValidationError("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")


def joined_key_bytes(keys: Iterable[bytes]) -> bytes:
    """The keys of several attributes as one that sorts as they do, from the first to the last."""
    return b"".join(key.replace(b"\x00", b"\x00\x01") + b"\x00\x00" for key in keys)


def number_key_bytes(text: str) -> bytes:
    """A biased exponent of 100, then pairs of digits plus one; of negative numbers mirrored, and closed by 102."""
    negative, digits, exponent = scientific_parts(text)
    if not digits:
        return _zero
    aligned = digits if exponent % 2 else "0" + digits
    pairs = [int(pair) for pair in re.findall("..", aligned + "0" * (len(aligned) % 2))]
    hundreds = (exponent + 2) // 2 + _exponent_bias
    if not negative:
        return bytes([hundreds, *(pair + 1 for pair in pairs)])
    closed = [_negative_end] if len(pairs) < _pairs_max else []
    return bytes([255 - hundreds, *(101 - pair for pair in pairs), *closed])


def slot_of(partition_key: bytes) -> int:
    """The front of the hash by which DynamoDB itself orders a Scan, as observed on it."""
    return int.from_bytes(md5(_hash_salt + partition_key, usedforsecurity=False).digest()[:2])


def partition_of(slot: int, partition_count: int) -> int:
    """The partition whose slot range holds `slot`; ranges are equal and in order."""
    return slot * partition_count // limits.slots


def slot_range(partition: int, partition_count: int) -> range:
    """The slots of one partition; inverse of `partition_of`."""
    first = -(-partition * limits.slots // partition_count)
    return range(first, -(-(partition + 1) * limits.slots // partition_count))
