"""Key conditions on an index as ranges of its entries: which of them a Query reads, from where, in either direction."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from services.region.expressions.key_conditions import KeyComparison, KeyCondition
from services.region.rules.indexes import IndexKey, composite_key, index_key
from services.region.rules.keys import check_key_attribute, key_of_request
from services.region.rules.ranges import beyond_all, bounds_of, end_of_prefix
from shared.errors import ValidationError
from shared.model.indexes import SecondaryIndex
from shared.model.keys import ItemKey, KeyAttribute, KeySchema, joined_key_bytes, key_bytes
from shared.model.values import Item

EntryPlace = tuple[bytes, int, bytes, bytes]  # sort key in the index, then the key of the item


class IndexRange(NamedTuple):
    """Entries of one partition key of an index: sort key from `first` on, below `end`; forward only those after the
    place `first`, backward only those before the place `end`."""

    partition: bytes
    first: EntryPlace
    end: EntryPlace


def index_range(
    index: SecondaryIndex, schema: KeySchema, condition: KeyCondition, start_key: Item | None, *, forward: bool
) -> IndexRange:
    """What a Query reads, once its condition and the key that it starts after fit the index."""
    check_start = None
    if start_key is not None:
        if len(start_key) != len(start_key_names(index)):
            raise _invalid_start()
        types = {attribute.name: attribute for attribute in index.key_attributes}
        check_start = partial(_check_start, start_key, types)
    key_range = condition.composite_range_for(
        [attribute.name for attribute in index.partition],
        [attribute.name for attribute in index.sort],
        {attribute.name: attribute.type for attribute in index.key_attributes},
        check_start=check_start,
    )
    partition = composite_key([key_bytes(value) for value in key_range.partition])
    low, high = _sort_bounds(index, key_range.sort)
    wanted = IndexRange(partition, before_sort(low), before_sort(high))
    if start_key is None:
        return wanted
    start, key = entry_place(index, schema, start_key)
    if key_range.sort and not low <= start.sort < high:
        raise ValidationError("The provided starting key does not match the range key predicate")
    if start.partition != partition:
        if key_range.sort:
            raise ValidationError("The query can return at most one row and cannot be restarted")
        raise ValidationError("The provided starting key is outside query boundaries based on provided conditions")
    place = (start.sort, *key)
    return wanted._replace(first=place) if forward else wanted._replace(end=place)


def before_sort(sort: bytes) -> EntryPlace:
    """A place before every entry of this sort key: slots are never negative."""
    return (sort, -1, b"", b"")


def entry_place(index: SecondaryIndex, schema: KeySchema, start_key: Item) -> tuple[IndexKey, ItemKey]:
    """Where the key that a page starts after stands in the index, and its item's key."""
    if any(name not in start_key for name in schema.names):
        raise _invalid_start()
    try:
        key = key_of_request(schema, {name: start_key[name] for name in schema.names})
    except ValidationError as error:
        raise ValidationError(f"The provided starting key is invalid: {error.message}") from error
    start = index_key(index, start_key)
    if start is None:
        raise _invalid_start()
    return start, key


def start_key_names(index: SecondaryIndex) -> Sequence[str]:
    """The attributes of a key at which a read of the index can be continued."""
    return tuple(dict.fromkeys((*index.table_keys, *index.key_names)))


def check_scan_start(index: SecondaryIndex, start_key: Item) -> None:
    if len(start_key) != len(start_key_names(index)):
        raise _invalid_start()
    for attribute in index.key_attributes:
        _check_start(start_key, {attribute.name: attribute}, attribute.name)


def _sort_bounds(index: SecondaryIndex, comparisons: Sequence[KeyComparison]) -> tuple[bytes, bytes]:
    if not comparisons:
        return b"", beyond_all
    if len(index.sort) == 1:
        return bounds_of(comparisons[0])
    *equal, last = comparisons
    base = joined_key_bytes(key_bytes(comparison.values[0]) for comparison in equal)
    low = base + joined_key_bytes([key_bytes(last.values[0])])
    beyond = end_of_prefix(base) if base else beyond_all
    match last.operator:
        case "=":
            return low, end_of_prefix(low)
        case "<":
            return base, low
        case "<=":
            return base, end_of_prefix(low)
        case ">":
            return end_of_prefix(low), beyond
        case ">=":
            return low, beyond
        case "BETWEEN":
            return low, end_of_prefix(base + joined_key_bytes([key_bytes(last.values[1])]))
        case _:
            prefix = low[:-2]  # without what ends a value
            return prefix, end_of_prefix(prefix)


def _check_start(start_key: Item, attributes: dict[str, KeyAttribute], name: str) -> None:
    if name not in start_key:
        raise _invalid_start()
    check_key_attribute(attributes[name], start_key)


def _invalid_start() -> ValidationError:
    return ValidationError("The provided starting key is invalid")
