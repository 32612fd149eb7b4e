"""UpdateItem: what each action makes of an item, and what it refuses."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.compat.tables import condition_failed, invalid, unique


def updated(
    table: Any, before: dict[str, Any], expression: str, values: dict[str, Any] | None = None, **names: str
) -> dict[str, Any]:
    """The item after an update, without its key; `names` are given without their #."""
    key = {"p": unique()}
    table.put_item(Item=key | before)
    given: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
    if names:
        given["ExpressionAttributeNames"] = {f"#{name}": attribute for name, attribute in names.items()}
    table.update_item(Key=key, UpdateExpression=expression, **given)
    item: dict[str, Any] = table.get_item(Key=key)["Item"]
    assert item.pop("p") == key["p"]
    return item


def test_an_update_makes_an_item_that_is_not_there(table: Any) -> None:
    key = {"p": unique()}
    table.update_item(Key=key, UpdateExpression="SET a = :v", ExpressionAttributeValues={":v": 1})
    assert table.get_item(Key=key)["Item"] == key | {"a": 1}


def test_an_update_without_expression_makes_an_item_of_its_key(table: Any) -> None:
    key = {"p": unique()}
    table.update_item(Key=key)
    assert table.get_item(Key=key)["Item"] == key


@pytest.mark.parametrize(
    ("before", "expression", "values", "after"),
    [
        ({}, "SET a = :v", {":v": "x"}, {"a": "x"}),
        ({"a": 5}, "SET a = a + :v", {":v": Decimal("0.5")}, {"a": Decimal("5.5")}),
        ({"a": 5}, "SET b = :v - a", {":v": 1}, {"a": 5, "b": -4}),
        ({"a": 1}, "SET a = if_not_exists(a, :v), b = if_not_exists(b, :v)", {":v": 7}, {"a": 1, "b": 7}),
        ({"l": [1]}, "SET l = list_append(l, :v)", {":v": [2, 3]}, {"l": [1, 2, 3]}),
        ({"l": [1]}, "SET l = list_append(:v, l)", {":v": [2, 3]}, {"l": [2, 3, 1]}),
        ({"l": [1, 2]}, "SET l[1] = :v", {":v": "x"}, {"l": [1, "x"]}),
        ({"l": [1, 2]}, "SET l[9] = :v", {":v": "x"}, {"l": [1, 2, "x"]}),
        ({"m": {"a": {}}}, "SET m.a.b = :v", {":v": "x"}, {"m": {"a": {"b": "x"}}}),
        ({"a": 1, "b": 2}, "SET a = b, b = a", None, {"a": 2, "b": 1}),
        ({"a": 1, "b": 2}, "REMOVE a, absent", None, {"b": 2}),
        ({"l": [0, 1, 2, 3]}, "REMOVE l[1], l[3], l[9]", None, {"l": [0, 2]}),
        ({"m": {"a": 1, "b": 2}}, "REMOVE m.a", None, {"m": {"b": 2}}),
        ({"a": 1}, "ADD a :v, b :v", {":v": Decimal("2.5")}, {"a": Decimal("3.5"), "b": Decimal("2.5")}),
        ({"s": {"a"}}, "ADD s :v, t :v", {":v": {"a", "b"}}, {"s": {"a", "b"}, "t": {"a", "b"}}),
        ({"s": {"a", "b", "c"}}, "DELETE s :v", {":v": {"a", "x"}}, {"s": {"b", "c"}}),
        ({"s": {"a"}, "k": 1}, "DELETE s :v", {":v": {"a"}}, {"k": 1}),
        ({"a": 1, "b": 1}, "SET a = :v REMOVE b ADD c :v", {":v": 3}, {"a": 3, "c": 3}),
    ],
)
def test_actions(
    table: Any, before: dict[str, Any], expression: str, values: dict[str, Any] | None, after: dict[str, Any]
) -> None:
    assert updated(table, before, expression, values) == after


def test_names_stand_for_reserved_words_and_dots(table: Any) -> None:
    after = updated(table, {"data": {"x": 1}}, "SET #d.x = :v, #dot = :v", {":v": 2}, d="data", dot="a.b")
    assert after == {"data": {"x": 2}, "a.b": 2}


@pytest.mark.parametrize(
    ("expression", "values", "message"),
    [
        ("SET p = :v", {":v": "x"}, "Cannot update attribute p. This attribute is part of the key"),
        ("SET a = :v, a = :v", {":v": 1}, "Two document paths overlap with each other"),
        ("SET m = :v REMOVE m.a", {":v": 1}, "Two document paths overlap with each other"),
        ("SET a = absent", None, "The provided expression refers to an attribute that does not exist in the item"),
        ("SET absent.a = :v", {":v": 1}, "The document path provided in the update expression is invalid for update"),
        ("SET s.a = :v", {":v": 1}, "The document path provided in the update expression is invalid for update"),
        ("SET a = s + :v", {":v": 1}, "An operand in the update expression has an incorrect data type"),
        ("ADD s :v", {":v": 1}, "An operand in the update expression has an incorrect data type"),
        ("ADD a :v", {":v": "text"}, "Incorrect operand type for operator or function; operator: ADD"),
        ("SET a = :v SET b = :v", {":v": 1}, 'The "SET" section can only be used once in an update expression'),
        ("SET a :v", {":v": 1}, "Syntax error; token:"),
        ("", None, "The expression can not be empty"),
        ("SET a = list_append(s, :v)", {":v": [1]}, "An operand in the update expression has an incorrect data type"),
    ],
)
def test_updates_that_are_refused(table: Any, expression: str, values: dict[str, Any] | None, message: str) -> None:
    before = {"p": unique(), "s": "text", "m": {"a": 1}}
    table.put_item(Item=before)
    given = {"ExpressionAttributeValues": values} if values else {}
    with invalid(message):
        table.update_item(Key={"p": before["p"]}, UpdateExpression=expression, **given)
    assert table.get_item(Key={"p": before["p"]})["Item"] == before


def test_counters_lose_no_increment(table: Any) -> None:
    key = {"p": unique()}

    def increment(_: int) -> None:
        table.update_item(Key=key, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": 1})

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(increment, range(100)))
    assert table.get_item(Key=key, ConsistentRead=True)["Item"]["n"] == 100


def test_a_condition_guards_an_update(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"version": 1})
    request = {
        "Key": key,
        "UpdateExpression": "SET version = :next",
        "ConditionExpression": "version = :known",
        "ExpressionAttributeValues": {":next": 2, ":known": 1},
    }
    table.update_item(**request)
    with condition_failed():
        table.update_item(**request)


def test_a_sum_of_more_than_38_digits_is_refused(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"n": Decimal("1e37")})
    with invalid("Number overflow"):
        table.update_item(Key=key, UpdateExpression="ADD n :v", ExpressionAttributeValues={":v": Decimal("0.1")})


def test_an_item_that_would_grow_too_large_is_refused(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"a": "x" * 300_000})
    with invalid("Item size to update has exceeded the maximum allowed size"):
        table.update_item(Key=key, UpdateExpression="SET b = :v", ExpressionAttributeValues={":v": "x" * 200_000})


def test_an_item_that_would_nest_too_deep_is_refused(table: Any) -> None:
    """A few updates that copy a document into its own innermost map would otherwise nest it without bound."""
    key = {"p": unique()}
    path = ".".join(["a"] * 20)
    document: Any = {}
    for _ in range(20):
        document = {"a": document}
    table.put_item(Item=key | document)
    with invalid("Nesting Levels have exceeded supported limits"):
        table.update_item(Key=key, UpdateExpression=f"SET {path}.b = a")
