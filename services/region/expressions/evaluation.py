"""How attribute values compare, and what the condition functions say of them.

Numbers compare by value, strings by their UTF-8 bytes, binaries by their bytes; values of different types, and types
without an order, are neither less nor greater. Source: "Condition and filter expressions, operators, and functions".
"""

from base64 import b64decode
from collections.abc import Callable
from typing import Any

from shared.model.numbers import decimal_of
from shared.model.sizes import base64_size_bytes
from shared.model.values import AttributeValue, same_value, type_of

ordered_types = frozenset({"S", "N", "B"})
sized_types = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})


def is_ordered(left: AttributeValue, right: AttributeValue, test: Callable[[Any, Any], bool]) -> bool:
    """Whether `test`, such as `operator.lt`, holds between two values of one ordered type."""
    kind = type_of(left)
    if kind not in ordered_types or kind not in right:
        return False
    a, b = left[kind], right[kind]
    if kind == "N":
        return test(decimal_of(a), decimal_of(b))
    if kind == "B":
        return test(b64decode(a), b64decode(b))
    return test(a, b)  # text compares by code point, which is the order of its UTF-8 bytes


def begins_with(value: AttributeValue, prefix: AttributeValue) -> bool:
    if "S" in value and "S" in prefix:
        return bool(value["S"].startswith(prefix["S"]))
    if "B" in value and "B" in prefix:
        return b64decode(value["B"]).startswith(b64decode(prefix["B"]))
    return False


def contains(value: AttributeValue, part: AttributeValue) -> bool:
    """A part of a string or binary, a member of a set, or an element of a list."""
    kind = type_of(value)
    if kind == "L":
        return any(same_value(element, part) for element in value["L"])
    if kind in ("SS", "NS", "BS"):
        return kind[0] in part and part[kind[0]] in value[kind]
    if kind == "S" and "S" in part:
        return part["S"] in value["S"]
    if kind == "B" and "B" in part:
        return b64decode(part["B"]) in b64decode(value["B"])
    return False


def size_of(value: AttributeValue) -> AttributeValue | None:
    """UTF-16 units of a string, bytes of a binary, elements of anything else; other scalars have no size."""
    kind = type_of(value)
    content = value[kind]
    if kind not in sized_types:
        return None
    if kind == "S":
        return {"N": str(len(content) if content.isascii() else len(content.encode("utf-16-le")) // 2)}
    if kind == "B":
        return {"N": str(base64_size_bytes(content))}
    return {"N": str(len(content))}
