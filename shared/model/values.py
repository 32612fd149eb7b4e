"""Attribute values in memory: the wire form, checked and canonical.

An attribute value is a dict of exactly one entry, type descriptor to content, as in the DynamoDB API:
`{"S": "x"}`, `{"N": "1.5"}`, `{"B": "AAE="}`, `{"BOOL": true}`, `{"NULL": true}`, `{"SS": [...]}`, `{"L": [...]}`.
Canonical means: numbers as `shared.model.numbers` writes them, binaries as padded base64, sets without duplicates and
in DynamoDB's order.
The encoded image of an item (`encode_item`) is what is stored, replicated and spliced into replies.
"""

from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from shared.model.numbers import decimal_of

type_names = ("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL")

AttributeValue = dict[str, Any]
Item = dict[str, AttributeValue]


def type_of(value: AttributeValue) -> str:
    return next(iter(value))


def encode_item(item: Item) -> bytes:
    return orjson.dumps(item)


def decode_item(image: bytes) -> Item:
    item: Item = orjson.loads(image)
    return item


def ordered_members(kind: str, members: Iterable[str]) -> list[str]:
    """The distinct members of a set of type `kind` ("SS", "NS" or "BS") in DynamoDB's order: by bytes, or by value."""
    return sorted(set(members), key=_member_orders[kind])


def nesting_levels(value: AttributeValue) -> int:
    """One for the value itself and one for each list or map on the way to the deepest value inside."""
    for kind, content in value.items():
        if kind == "L":
            return 1 + max(map(nesting_levels, content), default=0)
        if kind == "M":
            return 1 + max(map(nesting_levels, content.values()), default=0)
    return 1


def same_value(left: AttributeValue, right: AttributeValue) -> bool:
    """Equality as DynamoDB's `=` sees it: numbers by value, sets without order, documents deeply."""
    kind = type_of(left)
    if kind != type_of(right):
        return False
    a, b = left[kind], right[kind]
    if kind == "N":
        return a == b or bool(decimal_of(a) == decimal_of(b))
    if kind in ("SS", "BS"):
        return len(a) == len(b) and set(a) == set(b)
    if kind == "NS":
        return len(a) == len(b) and _numbers(a) == _numbers(b)
    if kind == "L":
        return len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b, strict=True))
    if kind == "M":
        return a.keys() == b.keys() and all(same_value(a[name], b[name]) for name in a)
    return bool(a == b)


def same_item(left: Item, right: Item) -> bool:
    return left.keys() == right.keys() and all(same_value(left[name], right[name]) for name in left)


def same_image(left: bytes | None, right: bytes | None) -> bool:
    """Whether two encoded images hold the same item; two absent images are the same."""
    if left == right:
        return True
    if left is None or right is None:
        return False
    return same_item(decode_item(left), decode_item(right))


_member_orders: dict[str, Callable[[str], Any] | None] = {"SS": None, "NS": decimal_of, "BS": b64decode}


def _numbers(texts: Iterable[str]) -> set[object]:
    return {decimal_of(text) for text in texts}
