"""Commands that read many items of one table in key order: Query and Scan, and the page that they answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.region.commands.items import IndexUnits, ReturnConsumedCapacity, no_index_units
from services.region.expressions.conditions import Condition
from services.region.expressions.key_conditions import KeyCondition
from services.region.expressions.projections import Projection
from shared.model.values import Item


@dataclass(frozen=True, slots=True)
class Query:
    table: str
    key_condition: KeyCondition
    filter: Condition | None = None
    filter_name: str = "Filter Expression"  # what a refusal calls it
    filters_freely: bool = False  # by keys too, and by what an index lacks, which is missing then
    projection: Projection | None = None
    count_only: bool = False  # Select=COUNT
    forward: bool = True
    limit: int | None = None  # items to look at, before the filter
    start_key: Item | None = None
    consistent: bool = False
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE
    index: str | None = None
    all_attributes: bool = False  # Select=ALL_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class Scan:
    table: str
    filter: Condition | None = None
    projection: Projection | None = None
    count_only: bool = False
    limit: int | None = None
    start_key: Item | None = None
    segment: int = 0
    total_segments: int = 1
    consistent: bool = False
    return_consumed_capacity: ReturnConsumedCapacity = ReturnConsumedCapacity.NONE
    index: str | None = None
    all_attributes: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """It ends with the item that passes 1 MB at the latest; `images` is empty when only the count was asked for."""

    images: Sequence[bytes]
    count: int
    scanned_count: int
    last_key: Item | None  # where the next page starts after; None on the last page
    capacity_units: float
    index_units: IndexUnits = no_index_units
