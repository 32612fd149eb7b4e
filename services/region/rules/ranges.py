"""Key conditions as ranges of key bytes: which rows a Query reads, from where, in either direction."""

from functools import partial
from typing import NamedTuple

from services.region.expressions.key_conditions import KeyComparison, KeyCondition, KeyRange
from services.region.rules.keys import check_key_attribute
from shared.errors import ValidationError
from shared.limits import sort_key_bytes_max
from shared.model.keys import KeyAttribute, KeySchema, item_key, key_bytes, slot_of
from shared.model.values import Item

beyond_all = b"\xff" * (sort_key_bytes_max + 1)


class CollectionRange(NamedTuple):
    """Rows of one partition key with `first` <= sort key bytes < `end`."""

    slot: int
    partition: bytes
    first: bytes
    end: bytes


def key_range_of(schema: KeySchema, condition: KeyCondition, start_key: Item | None) -> KeyRange:
    """What a key condition asks of this key, once it and the start key fit the schema."""
    attributes = [schema.partition] if schema.sort is None else [schema.partition, schema.sort]
    types = {attribute.name: attribute.type for attribute in attributes}
    check_start = None
    if start_key is not None:
        if len(start_key) != len(attributes):
            raise _invalid_start()
        check_start = partial(_check_start, start_key, types)
    sort_name = None if schema.sort is None else schema.sort.name
    return condition.range_for(schema.partition.name, sort_name, types, check_start=check_start)


def collection_range(key_range: KeyRange) -> CollectionRange:
    partition = key_bytes(key_range.partition)
    first, end = (b"", beyond_all) if key_range.sort is None else bounds_of(key_range.sort)
    return CollectionRange(slot_of(partition), partition, first, end)


def continued(schema: KeySchema, key_range: KeyRange, start_key: Item, *, forward: bool) -> CollectionRange:
    """What is left of a range after the last key of the page before."""
    wanted, start = collection_range(key_range), item_key(schema, start_key)
    ranged = key_range.sort is not None
    if ranged and not wanted.first <= start.sort < wanted.end:
        raise ValidationError("The provided starting key does not match the range key predicate")
    if start.partition != wanted.partition:
        if ranged:
            raise ValidationError("The query can return at most one row and cannot be restarted")
        raise ValidationError("The provided starting key is outside query boundaries based on provided conditions")
    return wanted._replace(first=after(start.sort)) if forward else wanted._replace(end=start.sort)


def _check_start(start_key: Item, types: dict[str, str], name: str) -> None:
    if name not in start_key:
        raise _invalid_start()
    check_key_attribute(KeyAttribute(name, types[name]), start_key)


def _invalid_start() -> ValidationError:
    return ValidationError("The provided starting key is invalid")


def after(key: bytes) -> bytes:
    """The smallest byte string that is greater than `key`."""
    return key + b"\x00"


def bounds_of(comparison: KeyComparison) -> tuple[bytes, bytes]:
    """The least sort key that satisfies a comparison, and the least beyond those that do."""
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
            return low, end_of_prefix(low)


def end_of_prefix(prefix: bytes) -> bytes:
    """The smallest byte string greater than every one that begins with `prefix`."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else beyond_all
