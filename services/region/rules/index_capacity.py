"""What a write of an item costs its table's indexes, and how large an item collection may grow.

Source: "Global secondary indexes" and "Local secondary indexes" in the Developer Guide. An index that the write does
not concern costs nothing; one whose entry moves is written twice; one that shows another item afterwards once. In a
transaction that is no more than elsewhere: only the table's part counts double.
"""

from collections.abc import Iterable
from math import ceil

from services.region.commands.items import IndexUnits
from services.region.rules.indexes import index_key, projected
from shared.errors import ItemCollectionSizeLimitExceededError
from shared.limits import item_collection_bytes_max
from shared.model.indexes import SecondaryIndex
from shared.model.sizes import item_size_bytes
from shared.model.values import Item, decode_item, same_item

_write_unit_bytes = 1024


def index_write_units(indexes: Iterable[SecondaryIndex], old: bytes | None, new: bytes | None) -> IndexUnits:
    """Units of the indexes that a write concerns, from the images before and after it."""
    units = IndexUnits({}, {})
    if old == new:
        return units
    before = None if old is None else decode_item(old)
    after = None if new is None else decode_item(new)
    for index in indexes:
        consumed = _units(index, before, after)
        if consumed:
            (units.global_indexes if index.is_global else units.local_indexes)[index.name] = consumed
    return units


def total_units(units: IndexUnits) -> float:
    return sum(units.local_indexes.values()) + sum(units.global_indexes.values())


def added_units(one: IndexUnits, other: IndexUnits) -> IndexUnits:
    return IndexUnits(_added(one.local_indexes, other.local_indexes), _added(one.global_indexes, other.global_indexes))


def check_collection(size_bytes: int, old: bytes | None, new: bytes | None) -> None:
    """A collection of items that has reached its limit may still shrink."""
    if size_bytes >= item_collection_bytes_max and len(new or b"") > len(old or b""):
        raise ItemCollectionSizeLimitExceededError("Collection size exceeded.")


def _added(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in {**one, **other}}


def _units(index: SecondaryIndex, before: Item | None, after: Item | None) -> float:
    names = index.projected
    shown_before = None if before is None or index_key(index, before) is None else projected(before, names)
    shown_after = None if after is None or index_key(index, after) is None else projected(after, names)
    if shown_before is None or shown_after is None:
        return sum(_write_units(shown) for shown in (shown_before, shown_after) if shown is not None)
    if index_key(index, shown_before) != index_key(index, shown_after):
        return _write_units(shown_before) + _write_units(shown_after)
    if same_item(shown_before, shown_after):
        return 0.0
    return max(_write_units(shown_before), _write_units(shown_after))


def _write_units(item: Item) -> float:
    return float(max(1, ceil(item_size_bytes(item) / _write_unit_bytes)))
