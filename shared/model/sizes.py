"""Sizes as DynamoDB counts them: "Item sizes and formats" in the Developer Guide.

Names and strings by UTF-8 bytes, binaries by raw bytes, numbers by pairs of significant digits plus one,
lists and maps three bytes and one more for each element, null and boolean one byte.
"""

from functools import lru_cache

from shared.model.numbers import scientific_parts
from shared.model.values import AttributeValue, Item


def item_size_bytes(item: Item) -> int:
    size = 0
    for name, value in item.items():
        size += len(name) if name.isascii() else len(name.encode())
        text = value.get("S")
        if text is not None and text.isascii():  # most attributes of a page, which adds up thousands
            size += len(text)
        else:
            size += value_size_bytes(value)
    return size


def value_size_bytes(value: AttributeValue) -> int:
    for kind, content in value.items():
        if kind == "S":
            return text_size_bytes(content)
        if kind == "N":
            return number_size_bytes(content)
        if kind == "B":
            return base64_size_bytes(content)
        if kind in ("BOOL", "NULL"):
            return 1
        if kind == "SS":
            return sum(map(text_size_bytes, content))
        if kind == "NS":
            return sum(map(number_size_bytes, content))
        if kind == "BS":
            return sum(map(base64_size_bytes, content))
        if kind == "L":
            return 3 + sum(1 + value_size_bytes(element) for element in content)
        return 3 + sum(1 + text_size_bytes(name) + value_size_bytes(element) for name, element in content.items())
    raise AssertionError("an attribute value has exactly one entry")


def text_size_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


@lru_cache(maxsize=8192)
def number_size_bytes(text: str) -> int:
    negative, digits, exponent = scientific_parts(text)
    if not digits:
        return 1
    # Pairs are aligned to the decimal point: an even count that starts at an even exponent straddles one pair more.
    pairs = (len(digits) + 1) // 2 + (len(digits) % 2 == 0 and exponent % 2 == 0)
    return 1 + pairs + negative


def base64_size_bytes(text: str) -> int:
    return len(text) // 4 * 3 - (2 if text.endswith("==") else text.endswith("="))
