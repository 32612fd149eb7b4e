"""Key conditions as ranges of key bytes: which rows a Query reads, from where, in either direction."""

from typing import NamedTuple

from services.region.expressions.key_conditions import KeyComparison, KeyRange
from services.region.rules.keys import key_of_request
from shared.errors import ValidationError
from shared.limits import sort_key_bytes_max
from shared.model.keys import KeySchema, key_bytes, slot_of
from shared.model.values import Item

beyond_all = b"\xff" * (sort_key_bytes_max + 1)


class CollectionRange(NamedTuple):
    """Rows of one partition key with `first` <= sort key bytes < `end`."""

    slot: int
    partition: bytes
    first: bytes
    end: bytes


def collection_range(key_range: KeyRange) -> CollectionRange:
    partition = key_bytes(key_range.partition)
    first, end = (b"", beyond_all) if key_range.sort is None else _bounds(key_range.sort)
    return CollectionRange(slot_of(partition), partition, first, end)


def continued(schema: KeySchema, wanted: CollectionRange, start_key: Item, *, forward: bool) -> CollectionRange:
    """What is left of a range after the last key of the page before."""
    try:
        start = key_of_request(schema, start_key)
    except ValidationError as error:
        raise ValidationError(f"The provided starting key is invalid: {error.message}") from error
    if start.partition != wanted.partition or not wanted.first <= start.sort < wanted.end:
        raise ValidationError("The provided starting key is outside query boundaries based on provided conditions")
    return wanted._replace(first=after(start.sort)) if forward else wanted._replace(end=start.sort)


def after(key: bytes) -> bytes:
    """The smallest byte string that is greater than `key`."""
    return key + b"\x00"


def _bounds(comparison: KeyComparison) -> tuple[bytes, bytes]:
    low = key_bytes(comparison.values[0])
    match comparison.operator:
        case "=":
            return low, after(low)
        case "<":
            return b"", low
        case "<=":
            return b"", after(low)
        case ">":
            return after(low), beyond_all
        case ">=":
            return low, beyond_all
        case "BETWEEN":
            return low, after(key_bytes(comparison.values[1]))
        case _:
            return low, _end_of_prefix(low)


def _end_of_prefix(prefix: bytes) -> bytes:
    """The smallest byte string greater than every one that begins with `prefix`."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else beyond_all
