"""Attribute values: equal as DynamoDB compares them."""

import pytest

from shared.model.values import AttributeValue, same_image, same_value


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"S": "x"}, {"S": "x"}),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        ({"NS": ["1", "2"]}, {"NS": ["2", "1"]}),
        ({"BS": ["AA==", "AQ=="]}, {"BS": ["AQ==", "AA=="]}),
        ({"L": [{"SS": ["a", "b"]}]}, {"L": [{"SS": ["b", "a"]}]}),
        ({"M": {"a": {"N": "1"}, "b": {"NULL": True}}}, {"M": {"b": {"NULL": True}, "a": {"N": "1"}}}),
    ],
)
def test_equal_values(left: AttributeValue, right: AttributeValue) -> None:
    assert same_value(left, right)
    assert same_value(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"S": "1"}, {"N": "1"}),
        ({"N": "1"}, {"N": "2"}),
        ({"SS": ["a"]}, {"SS": ["a", "b"]}),
        ({"SS": ["1"]}, {"NS": ["1"]}),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
        ({"L": []}, {"L": [{"S": "a"}]}),
        ({"M": {"a": {"S": "x"}}}, {"M": {"b": {"S": "x"}}}),
        ({"BOOL": True}, {"BOOL": False}),
        ({"BOOL": True}, {"NULL": True}),
    ],
)
def test_different_values(left: AttributeValue, right: AttributeValue) -> None:
    assert not same_value(left, right)
    assert not same_value(right, left)


def test_images_are_compared_by_what_they_hold() -> None:
    image = b'{"a":{"S":"x"},"b":{"SS":["1","2"]}}'
    assert same_image(image, b'{"b":{"SS":["2","1"]},"a":{"S":"x"}}')
    assert same_image(None, None)
    assert not same_image(image, None)
    assert not same_image(None, image)
    assert not same_image(image, b'{"a":{"S":"x"}}')
