"""What replies tell of consumed capacity, and of the sizes of item collections."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from services.region.commands.items import IndexUnits, ItemCollection, ReturnConsumedCapacity, no_index_units
from services.region.commands.names import as_given
from services.region.rules.index_capacity import total_units

no_capacity = ReturnConsumedCapacity.NONE
_of_no_indexes: Mapping[str, IndexUnits] = {}
_of_no_failures: Mapping[str, float] = {}


def consumed(
    table: str, units: float, wish: ReturnConsumedCapacity, index_units: IndexUnits = no_index_units
) -> bytes | None:
    if wish is no_capacity:
        return None
    return orjson.dumps(_capacity_members(table, units, wish, index_units))


def consumed_by_tables(
    units: Mapping[str, float],
    wish: ReturnConsumedCapacity,
    index_units: Mapping[str, IndexUnits] = _of_no_indexes,
    failed_units: Mapping[str, float] = _of_no_failures,
) -> bytes | None:
    if wish is no_capacity:
        return None
    return orjson.dumps(
        [
            _capacity_members(table, each, wish, index_units.get(table, no_index_units), failed_units.get(table, 0.0))
            for table, each in units.items()
        ]
    )


def consumed_by_transaction(
    units: Mapping[str, float], wish: ReturnConsumedCapacity, index_units: Mapping[str, IndexUnits], *, side: str
) -> bytes | None:
    """Transactions tell on which side the units were consumed."""
    if wish is no_capacity:
        return None
    capacities = []
    for table, each in units.items():
        members = _capacity_members(table, each, wish, index_units.get(table, no_index_units))
        members[side] = members["CapacityUnits"]
        for part in _parts_of(members):
            part[side] = part["CapacityUnits"]
        capacities.append(members)
    return orjson.dumps(capacities)


def item_collection(collection: ItemCollection) -> bytes:
    return orjson.dumps(_collection_members(collection))


def item_collections(collections: Mapping[str, Sequence[ItemCollection]]) -> bytes | None:
    """By tables, as the request named them."""
    members = {as_given(table): list(map(_collection_members, each)) for table, each in collections.items()}
    return orjson.dumps(members) if members else None


def _capacity_members(
    table: str, units: float, wish: ReturnConsumedCapacity, index_units: IndexUnits, failed_units: float = 0.0
) -> dict[str, Any]:
    members: dict[str, Any] = {"TableName": as_given(table), "CapacityUnits": float(units)}
    if wish is ReturnConsumedCapacity.INDEXES:
        members["Table"] = {"CapacityUnits": float(units - total_units(index_units) - failed_units)}
        for kind, by_index in (
            ("LocalSecondaryIndexes", index_units.local_indexes),
            ("GlobalSecondaryIndexes", index_units.global_indexes),
        ):
            if by_index:
                members[kind] = {index: {"CapacityUnits": each} for index, each in by_index.items()}
    return members


def _parts_of(capacity: Mapping[str, Any]) -> Iterator[dict[str, float]]:
    """What a table and each of its indexes have consumed, where that is told."""
    if "Table" in capacity:
        yield capacity["Table"]
    for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        yield from capacity.get(kind, {}).values()


def _collection_members(collection: ItemCollection) -> dict[str, Any]:
    """Sizes are told as ranges of a gigabyte."""
    begun = collection.size_bytes // 1024**3
    return {"ItemCollectionKey": collection.key, "SizeEstimateRangeGB": [float(begun), float(begun + 1)]}
