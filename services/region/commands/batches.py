"""BatchGetItem and BatchWriteItem: many independent reads or writes in one request, never atomic together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.region.commands.items import IndexUnits, ItemCollection, ReturnConsumedCapacity
from services.region.expressions.projections import Projection
from shared.model.values import Item


@dataclass(frozen=True, slots=True)
class KeysToGet:
    keys: Sequence[Item]
    projection: Projection | None = None
    consistent: bool = False


@dataclass(frozen=True, slots=True)
class BatchGetItem:
    tables: Mapping[str, KeysToGet]
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE


@dataclass(frozen=True, slots=True)
class ItemsFound:
    images: Mapping[str, Sequence[bytes]]
    unprocessed: Mapping[str, Sequence[Item]]  # keys that did not fit into a 16 MB reply
    capacity_units: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ItemToPut:
    item: Item


@dataclass(frozen=True, slots=True)
class KeyToDelete:
    key: Item


@dataclass(frozen=True, slots=True)
class BatchWriteItem:
    tables: Mapping[str, Sequence[ItemToPut | KeyToDelete]]
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE
    return_collection_size: bool = False


@dataclass(frozen=True, slots=True)
class ItemsWritten:
    capacity_units: Mapping[str, float]
    index_units: Mapping[str, IndexUnits] = field(default_factory=dict)  # of tables with indexes, part of the above
    collections: Mapping[str, Sequence[ItemCollection]] = field(default_factory=dict)
