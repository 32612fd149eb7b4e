"""Sizes as DynamoDB counts them: "Item sizes and formats" in the Developer Guide.

Names and strings by UTF-8 bytes, binaries by raw bytes, numbers by pairs of significant digits plus one,
lists and maps three bytes and one more for each element, null and boolean one byte.
"""

from shared.model.numbers import scientific_parts
from shared.model.values import AttributeValue, Item


def item_size_bytes(item: Item) -> int:
    return sum(text_size_bytes(name) + value_size_bytes(value) for name, value in item.items())


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


def number_size_bytes(text: str) -> int:
    negative, digits, exponent = scientific_parts(text)
    if not digits:
        return 1
    # Pairs are aligned to the decimal point: an even count that starts at an even exponent straddles one pair more.
    pairs = (len(digits) + 1) // 2 + (len(digits) % 2 == 0 and exponent % 2 == 0)
    return 1 + pairs + negative


def base64_size_bytes(text: str) -> int:
    return len(text) // 4 * 3 - (2 if text.endswith("==") else text.endswith("="))
