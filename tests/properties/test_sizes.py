"""Sizes: what DynamoDB's rules say, and never more than the bytes that are stored."""

from base64 import b64decode
from decimal import Decimal

from hypothesis import example, given, settings

from shared.model.sizes import item_size_bytes, number_size_bytes, value_size_bytes
from shared.model.values import AttributeValue, Item, decode_item, encode_item, nesting_levels, same_item
from tests.properties.attribute_values import items, numbers, values

few = settings(max_examples=50)


def naive_number_size(text: str) -> int:
    """One byte, one more for each pair of significant digits around the decimal point, one for a minus sign."""
    if Decimal(text) == 0:
        return 1
    whole, _, fraction = text.lstrip("-").partition(".")
    whole, fraction = (
        whole.rjust(len(whole) + len(whole) % 2, "0"),
        fraction.ljust(len(fraction) + len(fraction) % 2, "0"),
    )
    digits = whole + fraction
    pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
    while pairs[0] == "00":
        del pairs[0]
    while pairs[-1] == "00":
        del pairs[-1]
    return 1 + len(pairs) + text.startswith("-")


def naive_size(value: AttributeValue) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(b64decode(content))
        case "N":
            return naive_number_size(content)
        case "SS" | "NS" | "BS":
            return sum(naive_size({kind[0]: member}) for member in content)
        case "L":
            return 3 + sum(1 + naive_size(element) for element in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + naive_size(element) for name, element in content.items())
        case _:
            return 1


def naive_levels(value: AttributeValue) -> int:
    [(kind, content)] = value.items()
    inner = content if kind == "L" else content.values() if kind == "M" else ()
    return 1 + max((naive_levels(element) for element in inner), default=0)


@few
@given(values)
def test_a_value_has_the_size_that_the_rules_say(value: AttributeValue) -> None:
    assert value_size_bytes(value) == naive_size(value)


@given(numbers())
@example("100")
@example("-0.01")
@example("12.3")
@example("0")
def test_a_number_has_the_size_that_the_rules_say(number: str) -> None:
    assert number_size_bytes(number) == naive_number_size(number)
    assert number_size_bytes(number) <= 21 + number.startswith("-")


@few
@given(items)
def test_an_item_is_its_names_and_values(item: Item) -> None:
    assert item_size_bytes(item) == sum(len(name.encode()) + naive_size(value) for name, value in item.items())


@few
@given(items)
def test_an_image_is_never_smaller_than_its_item(item: Item) -> None:
    """Pages rely on it: only those whose images pass a megabyte have their sizes added up exactly."""
    assert len(encode_item(item)) >= item_size_bytes(item)


@few
@given(items)
def test_an_item_survives_its_image(item: Item) -> None:
    assert decode_item(encode_item(item)) == item
    assert same_item(decode_item(encode_item(item)), item)


@few
@given(values)
def test_levels_are_counted_to_the_deepest_value(value: AttributeValue) -> None:
    assert nesting_levels(value) == naive_levels(value)
