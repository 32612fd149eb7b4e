"""What the benchmark stores: items of exactly 300 bytes, and the scattered order in which clients visit them.

The order walks through all numbers by a fixed stride, so it looks random to the server and is known to the checks:
after n requests it is certain which items were asked for.
"""

from collections.abc import Sequence

from shared.model.sizes import item_size_bytes
from shared.model.values import Item

item_count = 10_000
item_bytes = 300
collection_count = 400
collection_items = item_count // collection_count

_stride = 7_919  # prime, and so without a common factor with the count


def visiting_order() -> Sequence[int]:
    """Every item's number once, in the order of the requests."""
    return [place * _stride % item_count for place in range(item_count)]


def order_key(number: int) -> Item:
    return {"id": {"S": f"order-{number:06d}"}}


def order(number: int, *, revision: int) -> Item:
    """The item of a number; revisions differ, so that a read tells which write it sees."""
    return _filled(order_key(number) | _attributes(number, revision))


def collection_key(number: int) -> Item:
    return {"id": {"S": f"customer-{number:04d}"}}


def collection_item(number: int) -> Item:
    """One of the 25 items of a collection."""
    position: Item = {"position": {"N": str(number % collection_items)}}
    return _filled(collection_key(number // collection_items) | position | _attributes(number, 0))


def _attributes(number: int, revision: int) -> Item:
    return {
        "customer": {"S": f"customer-{number % 997:04d}"},
        "ordered_at": {"S": f"2025-05-{1 + number % 28:02d}T09:{number % 60:02d}:00Z"},
        "amount": {"N": f"{1 + number % 500}.25"},
        "revision": {"N": str(revision)},
        "visits": {"N": "0"},
        "paid": {"BOOL": number % 2 == 0},
    }


def _filled(item: Item) -> Item:
    """Padded with a text to `item_bytes`."""
    empty = item | {"note": {"S": ""}}
    return empty | {"note": {"S": "n" * (item_bytes - item_size_bytes(empty))}}
