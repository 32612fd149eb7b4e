"""What a write costs the indexes that it concerns, and the size at which an item collection stops growing."""

import pytest

from services.region.rules.index_capacity import check_collection, index_write_units, total_units
from shared.errors import ItemCollectionSizeLimitExceededError
from shared.limits import item_collection_bytes_max
from shared.model.indexes import ProjectionType, SecondaryIndex
from shared.model.keys import KeyAttribute
from shared.model.values import Item, encode_item

x = KeyAttribute("x", "S")
whole = SecondaryIndex(1, "whole", True, (x,), (), ("p",))
keys = SecondaryIndex(2, "keys", False, (KeyAttribute("p", "S"),), (x,), ("p",), ProjectionType.KEYS_ONLY)
small: Item = {"p": {"S": "p"}, "x": {"S": "x"}}
large = small | {"filling": {"S": "f" * 3000}}
moved = large | {"x": {"S": "y"}}
absent: Item = {"p": {"S": "p"}}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, small, {"whole": 1, "keys": 1}),
        (None, absent, {}),
        (None, large, {"whole": 3, "keys": 1}),
        (small, large, {"whole": 3}),
        (large, small, {"whole": 3}),
        (large, moved, {"whole": 6, "keys": 2}),
        (large, large, {}),
        (large, absent, {"whole": 3, "keys": 1}),
        (large, None, {"whole": 3, "keys": 1}),
        (absent, None, {}),
    ],
)
def test_an_index_is_written_when_what_it_shows_changes(
    old: Item | None, new: Item | None, expected: dict[str, float]
) -> None:
    images = [None if item is None else encode_item(item) for item in (old, new)]
    units = index_write_units((whole, keys), *images)
    assert {**units.global_indexes, **units.local_indexes} == expected
    assert set(units.local_indexes) <= {"keys"}
    assert total_units(units) == sum(expected.values())


def test_a_full_collection_may_shrink_but_not_grow() -> None:
    check_collection(item_collection_bytes_max - 1, None, b"new")
    check_collection(item_collection_bytes_max, b"older", b"new")
    check_collection(item_collection_bytes_max, b"old", None)
    with pytest.raises(ItemCollectionSizeLimitExceededError, match="Collection size exceeded"):
        check_collection(item_collection_bytes_max, b"old", b"newer")
    with pytest.raises(ItemCollectionSizeLimitExceededError):
        check_collection(item_collection_bytes_max + 1, None, b"new")
