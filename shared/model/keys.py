"""Keys: which attributes identify an item, and bytes that sort as DynamoDB sorts keys.

Strings sort by UTF-8 bytes, binaries as unsigned bytes, numbers by value. A partition key's bytes also give the
item's slot, one of 65,536; partitions, scan segments and digests are slot ranges.
"""

import hashlib
from base64 import b64decode
from dataclasses import dataclass
from typing import NamedTuple

from shared import limits
from shared.errors import ValidationError
from shared.model.numbers import scientific_parts
from shared.model.values import AttributeValue, Item

_zero = b"\x01"
_exponent_bias = -limits.number_exponent_min
_negate = bytes(255 - byte for byte in range(256))


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


def number_key_bytes(text: str) -> bytes:
    """Sign, biased exponent, then base-100 digit pairs; negative numbers are the complement, closed by 0xFF."""
    negative, digits, exponent = scientific_parts(text)
    if not digits:
        return _zero
    pairs = digits + "0" * (len(digits) % 2)
    magnitude = bytes([exponent + _exponent_bias, *(int(pairs[at : at + 2]) + 1 for at in range(0, len(pairs), 2))])
    return b"\x00" + magnitude.translate(_negate) + b"\xff" if negative else b"\x02" + magnitude


def slot_of(partition_key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(partition_key, digest_size=2).digest())


def partition_of(slot: int, partition_count: int) -> int:
    """The partition whose slot range holds `slot`; ranges are equal and in order."""
    return slot * partition_count // limits.slots


def slot_range(partition: int, partition_count: int) -> range:
    """The slots of one partition; inverse of `partition_of`."""
    first = -(-partition * limits.slots // partition_count)
    return range(first, -(-(partition + 1) * limits.slots // partition_count))
