"""Placeholders are checked before any expression is read, and each of them is used in the end."""

from typing import Any

import pytest

from services.region.expressions.conditions import bind_condition
from services.region.expressions.substitutions import Substitutions
from services.region.expressions.updates import bind_update
from shared.errors import ValidationError

_long = "a" * 255

_refused: list[tuple[dict[str, str] | None, dict[str, Any] | None, str]] = [
    ({}, None, "ExpressionAttributeNames must not be empty"),
    (None, {}, "ExpressionAttributeValues must not be empty"),
    ({}, {}, "ExpressionAttributeNames must not be empty"),
    ({"a": "a"}, {}, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"'),
    ({"#": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#"'),
    ({"#a-b": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"'),
    ({"#a\n": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#a\n"'),
    (
        {"#a": ""},
        None,
        "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a",
    ),
    (
        {"#" + _long: "a"},
        None,
        (
            "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key "
            "that is too long; "
            "size of key: 256"
        ),
    ),
    (None, {":b": {"S": ""}, "b": {"S": ""}}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: "b"'),
    (
        None,
        {":" + _long: {"S": ""}},
        "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long;",
    ),
]


@pytest.mark.parametrize(("names", "values", "message"), _refused)
def test_malformed_placeholders_are_refused_in_dynamodbs_words(
    names: dict[str, str] | None, values: dict[str, Any] | None, message: str
) -> None:
    with pytest.raises(ValidationError) as refusal:
        Substitutions(names, values)
    assert refusal.value.message == message


def test_the_longest_placeholder_is_accepted() -> None:
    Substitutions({"#" + _long[1:]: "a"}, {":" + _long[1:]: {"S": ""}})


def test_unused_names_are_told_before_unused_values() -> None:
    substitutions = Substitutions({"#a": "a", "#b": "b", "#c": "c"}, {":v": {"S": "x"}})
    bind_condition("attribute_exists(#b)", substitutions, parameter="ConditionExpression")
    with pytest.raises(ValidationError) as refusal:
        substitutions.check_all_used()
    assert refusal.value.message == ("Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #c}")


def test_unused_values_are_told() -> None:
    substitutions = Substitutions({"#a": "a"}, {":v": {"S": "x"}, ":w": {"S": "y"}})
    bind_update("SET #a = :w", substitutions)
    with pytest.raises(ValidationError) as refusal:
        substitutions.check_all_used()
    assert refusal.value.message == ("Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}")


def test_all_expressions_of_a_request_count_as_uses() -> None:
    substitutions = Substitutions({"#a": "a", "#b": "b"}, {":v": {"S": "x"}, ":w": {"S": "y"}})
    bind_update("SET #a = :v", substitutions)
    bind_condition("#b = :w", substitutions, parameter="ConditionExpression")
    substitutions.check_all_used()


def test_a_repeated_expression_is_bound_to_each_requests_own_values() -> None:
    """Trees are kept by their text; nothing of one request may stay in them."""
    text = "#a = :v"
    first = bind_condition(text, Substitutions({"#a": "a"}, {":v": {"S": "x"}}), parameter="ConditionExpression")
    second = bind_condition(text, Substitutions({"#a": "b"}, {":v": {"S": "y"}}), parameter="ConditionExpression")
    assert first.holds({"a": {"S": "x"}})
    assert not second.holds({"a": {"S": "x"}})
    assert second.holds({"b": {"S": "y"}})
