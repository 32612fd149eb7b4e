"""Commands on single items: PutItem, GetItem, UpdateItem, DeleteItem, and what they answer.

Built by the edges from checked input and trusted below; named tuples, because one is made for every request. What
needs the table's key schema (missing or mistyped key attributes) is checked by `rules.keys` once the table is known.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from services.region.expressions.conditions import Condition
from services.region.expressions.projections import Projection
from services.region.expressions.updates import Update
from shared.model.values import Item
from shared.versions.versions import Version


class ReturnValues(StrEnum):
    NONE = "NONE"
    ALL_OLD = "ALL_OLD"
    UPDATED_OLD = "UPDATED_OLD"
    ALL_NEW = "ALL_NEW"
    UPDATED_NEW = "UPDATED_NEW"


class ReturnConsumedCapacity(StrEnum):
    NONE = "NONE"
    TOTAL = "TOTAL"
    INDEXES = "INDEXES"


class IndexUnits(NamedTuple):
    """What indexes have consumed, by their names; part of the units of the whole."""

    local_indexes: dict[str, float]
    global_indexes: dict[str, float]


no_index_units = IndexUnits({}, {})


class ItemCollection(NamedTuple):
    """The items with one partition key, and what local indexes hold of them."""

    key: Item  # its one attribute
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Guard:
    """What must hold of the stored item for a write to happen; all of it is judged inside the write's transaction."""

    condition: Condition | None = None
    version: Version | None = None  # If-Match: the stored item has exactly this version
    absent: bool = False  # If-None-Match: *
    present: bool = False  # If-Match: *
    return_item_on_failure: bool = False
    is_absence_told: bool = False  # no item is no failure, but a reason beside others of a cancelled transaction


no_guard = Guard()


class PutItem(NamedTuple):
    table: str
    item: Item
    guard: Guard = no_guard
    return_values: ReturnValues = ReturnValues.NONE
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE
    return_collection_size: bool = False


class UpdateItem(NamedTuple):
    table: str
    key: Item
    update: Update | None  # None: the item is created with its key alone when absent
    guard: Guard = no_guard
    return_values: ReturnValues = ReturnValues.NONE
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE
    return_collection_size: bool = False
    is_too_large: bool = False  # whatever the item is


class DeleteItem(NamedTuple):
    table: str
    key: Item
    guard: Guard = no_guard
    return_values: ReturnValues = ReturnValues.NONE
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE
    return_collection_size: bool = False


ItemWrite = PutItem | UpdateItem | DeleteItem


class GetItem(NamedTuple):
    table: str
    key: Item
    projection: Projection | None = None
    consistent: bool = False
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE


class ItemFound(NamedTuple):
    """Answer of a read: the encoded item (None when absent) with its version."""

    image: bytes | None
    version: Version | None
    capacity_units: float


class ItemWritten(NamedTuple):
    """Answer of a write: the attributes that ReturnValues asked for, and the version now stored."""

    attributes: bytes | None
    version: Version | None  # None when a delete found nothing
    created: bool
    capacity_units: float
    index_units: IndexUnits = no_index_units
    collection: ItemCollection | None = None  # where it was asked for, of a table with local indexes
