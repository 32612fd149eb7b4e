"""Attribute values: what is canonical afterwards, and DynamoDB's words for what is wrong with them."""

from typing import Any

import pytest

from services.region.api.dynamodb.attribute_values import is_too_large, read_attributes
from shared import limits
from shared.errors import SerializationError

_empty = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_invalid = "One or more parameter values were invalid: "


def _nested(levels: int, *, kind: str = "M") -> dict[str, Any]:
    """A scalar below `levels` maps or lists."""
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"M": {"a": value}} if kind == "M" else {"L": [value]}
    return value


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ({"S": ""}, {"S": ""}),
        ({"N": "1.50"}, {"N": "1.5"}),
        ({"N": "-0"}, {"N": "0"}),
        ({"N": "1e3"}, {"N": "1000"}),
        ({"NS": ["1.0", "2"]}, {"NS": ["1", "2"]}),
        ({"B": "AAE="}, {"B": "AAE="}),
        ({"B": ""}, {"B": ""}),
        ({"BOOL": "yes"}, {"BOOL": True}),
        ({"BOOL": "0"}, {"BOOL": False}),
        ({"S": "x", "N": None, "unknown": 1}, {"S": "x"}),
        ({"L": [{"N": "01"}, {"M": {"a": {"N": "0.0"}}}]}, {"L": [{"N": "1"}, {"M": {"a": {"N": "0"}}}]}),
        ({"L": []}, {"L": []}),
        ({"SS": ["", "a"]}, {"SS": ["", "a"]}),
    ],
)
def test_a_value_is_canonical_after_reading(written: dict[str, Any], canonical: dict[str, Any]) -> None:
    attributes = read_attributes({"a": written})
    assert attributes.problem is None
    assert attributes.item == {"a": canonical}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, _empty),
        ({"unknown": "x"}, _empty),
        ({"S": None}, _empty),
        (None, _empty),
        (
            {"S": "a", "N": "1"},
            (
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported "
                "datatypes"
            ),
        ),
        ({"NULL": False}, f"{_invalid}Null attribute value types must have the value of true"),
        ({"SS": []}, f"{_invalid}An string set  may not be empty"),
        ({"SS": ["a", None]}, f"{_invalid}An string set may not have a null string as a member"),
        ({"NS": ["1", None]}, _empty),
        ({"BS": ["AAE=", None]}, _empty),
        ({"NS": []}, f"{_invalid}An number set  may not be empty"),
        ({"BS": []}, f"{_invalid}Binary sets should not be empty"),
        ({"SS": ["a", "b", "a"]}, f'{_invalid}Input collection ["a", "b", "a"] contains duplicates.'),
        ({"NS": ["1", "1.0"]}, f"{_invalid}Input collection contains duplicates."),
        ({"BS": ["AAE=", "AAE="]}, f'{_invalid}Input collection ["AAE=","AAE="]of type BS contains duplicates.'),
        ({"N": ""}, "The parameter cannot be converted to a numeric value: "),
        ({"N": "b"}, "The parameter cannot be converted to a numeric value: b"),
        ({"NS": ["1", "b", "1"]}, "The parameter cannot be converted to a numeric value: b"),
        ({"N": "1e126"}, "Number overflow. Attempting to store a number with magnitude larger than supported range"),
        ({"N": "1e-131"}, "Number underflow. Attempting to store a number with magnitude smaller than supported range"),
        ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
        ({"L": [{"S": "a"}, {}]}, _empty),
        ({"M": {"a": {"NS": []}}}, f"{_invalid}An number set  may not be empty"),
    ],
)
def test_a_wrong_value_is_explained_in_the_services_words(value: object, message: str) -> None:
    problem = read_attributes({"a": {"S": "x"}, "b": value, "c": {}}).problem
    assert problem == ("b", message)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("x", "Unexpected value type in payload"),
        (1, "Unexpected value type in payload"),
        ([], "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"),
        ({"S": 1}, "NUMBER_VALUE cannot be converted to String"),
        ({"S": 1.5}, "DECIMAL_VALUE cannot be converted to String"),
        ({"N": True}, "TRUE_VALUE cannot be converted to String"),
        ({"S": {}}, "Start of structure or map found where not expected"),
        ({"S": []}, "Unrecognized collection type class java.lang.String"),
        ({"BOOL": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
        ({"BOOL": "maybe"}, "Unexpected token received from parser"),
        ({"NULL": []}, "Unrecognized collection type class java.lang.Boolean"),
        ({"B": 1}, "only base-64-encoded strings are convertible to bytes"),
        ({"B": []}, "Unrecognized collection type class java.nio.ByteBuffer"),
        ({"B": "AAE"}, "Base64 encoded length is expected a multiple of 4 bytes but found: 3"),
        ({"B": "AAF="}, "Invalid last non-pad Base64 character dectected"),
        ({"B": "=+/="}, "Invalid last non-pad Base64 character dectected"),
        ({"B": "A?A="}, "Invalid base 64 character: '?'"),
        ({"SS": "x"}, "Unexpected field type"),
        ({"SS": {}}, "Start of structure or map found where not expected"),
        ({"NS": [1]}, "NUMBER_VALUE cannot be converted to String"),
        ({"L": {}}, "Start of structure or map found where not expected"),
        ({"L": ["x"]}, "Unexpected value type in payload"),
        ({"M": "x"}, "Unexpected field type"),
        (
            {"M": []},
            (
                "Unrecognized collection type java.util.Map<java.lang.String, "
                "com.amazonaws.dynamodb.v20120810.AttributeValue>"
            ),
        ),
    ],
)
def test_a_wrong_json_type_comes_before_every_other_fault(value: object, message: str) -> None:
    with pytest.raises(SerializationError) as raised:
        read_attributes({"a": {"N": "not a number"}, "b": value})
    assert raised.value.message == message


@pytest.mark.parametrize("kind", ["M", "L"])
def test_nesting_is_refused_beyond_32_levels(kind: str) -> None:
    """A scalar in 31 maps is on level 32."""
    assert read_attributes({"a": _nested(31, kind=kind)}).problem is None
    problem = read_attributes({"a": _nested(32, kind=kind)}).problem
    assert problem is not None
    assert problem.message == (
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond "
        "supported limit"
    )


def test_an_item_may_be_as_large_as_the_limit_and_not_a_byte_larger() -> None:
    """The cheap bound says too much for texts; the exact size must decide."""
    text = "x" * (limits.item_bytes_max - len("pk") - 1 - len("text"))
    largest = {"pk": {"S": "k"}, "text": {"S": text}}
    assert not is_too_large(read_attributes(largest))
    assert is_too_large(read_attributes(largest | {"text": {"S": text + "x"}}))


def test_a_large_item_of_multibyte_text_is_too_large() -> None:
    """Sizes are of UTF-8 bytes, not of characters."""
    assert is_too_large(read_attributes({"text": {"S": "€" * 150_000}}))
    assert not is_too_large(read_attributes({"text": {"S": "x" * 150_000}}))


def test_attribute_names_have_bounds() -> None:
    assert read_attributes({"": {"S": "x"}}).problem is not None
    assert read_attributes({"a" * 65_535: {"S": "x"}}).problem is None
    assert read_attributes({"a" * 65_536: {"S": "x"}}).problem is not None
