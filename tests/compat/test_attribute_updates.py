"""AttributeUpdates: updates as they were before expressions."""

from typing import Any

import pytest

from tests.compat.tables import invalid, unique

parameters = "One or more parameter values were invalid: "


def put(value: Any) -> dict[str, Any]:
    return {"Action": "PUT", "Value": value}


def add(value: Any) -> dict[str, Any]:
    return {"Action": "ADD", "Value": value}


def delete(*values: Any) -> dict[str, Any]:
    return {"Action": "DELETE"} | ({"Value": set(values)} if values else {})


@pytest.mark.parametrize(
    ("before", "update", "after"),
    [
        (None, {"Value": 1}, 1),
        (1, put("x"), "x"),
        (1, put([]), []),
        (1, put(""), ""),
        (None, add(5), 5),
        (7, add(-2), 5),
        (None, add({"a", "b"}), {"a", "b"}),
        ({1, 2}, add({2, 3}), {1, 2, 3}),
        (None, add([1, "x"]), [1, "x"]),
        ([1, 2], add([2, "y"]), [1, 2, 2, "y"]),
        (1, delete(), None),
        (None, delete(), None),
        ({1, 2, 3}, delete(2, 4), {1, 3}),
        ({"a", "b"}, delete("a", "b"), None),
        (None, delete("a"), None),
        ({b"a", b"b"}, delete(b"a"), {b"b"}),
    ],
)
def test_an_attribute_is_updated(table: Any, before: Any, update: Any, after: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"other": 1} | ({} if before is None else {"a": before}))
    reply = table.update_item(Key=key, AttributeUpdates={"a": update}, ReturnValues="UPDATED_NEW")
    assert reply.get("Attributes", {}) == ({} if after is None else {"a": after})
    assert table.get_item(Key=key)["Item"] == key | {"other": 1} | ({} if after is None else {"a": after})


def test_what_writes_makes_the_item(table: Any) -> None:
    for updates in ({}, {"a": put(1)}, {"a": add(1)}, {"a": add({"x"}), "b": delete()}):
        key = {"p": unique()}
        table.update_item(Key=key, AttributeUpdates=updates)
        assert table.get_item(Key=key)["Item"]["p"] == key["p"]


@pytest.mark.parametrize(
    "update",
    [
        {"AttributeUpdates": {"a": delete()}},
        {"AttributeUpdates": {"a": delete("x"), "b": delete()}},
        {"UpdateExpression": "REMOVE a, b"},
        {"UpdateExpression": "REMOVE a.b, c[0]"},
        {"UpdateExpression": "DELETE a :x REMOVE b", "ExpressionAttributeValues": {":x": {"x"}}},
    ],
)
def test_what_only_removes_makes_no_item(table: Any, update: Any) -> None:
    key = {"p": unique()}
    assert "Attributes" not in table.update_item(Key=key, **update, ReturnValues="ALL_NEW")
    assert "Item" not in table.get_item(Key=key)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("NONE", None),
        ("ALL_OLD", {"a": 1, "b": {"x"}, "c": 1}),
        ("UPDATED_OLD", {"a": 1, "b": {"x"}}),
        ("ALL_NEW", {"a": 3, "c": 1, "d": 1}),
        ("UPDATED_NEW", {"a": 3, "d": 1}),
    ],
)
def test_the_update_returns_what_it_is_asked_for(table: Any, wanted: str, expected: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"a": 1, "b": {"x"}, "c": 1})
    updates = {"a": add(2), "b": delete(), "d": put(1)}
    reply = table.update_item(Key=key, AttributeUpdates=updates, ReturnValues=wanted)
    assert reply.get("Attributes") == (key | expected if wanted.startswith("ALL") else expected)


@pytest.mark.parametrize(
    ("stored", "update"),
    [
        ({"x"}, delete(1)),
        ({"x"}, delete(b"a")),
        (1, delete(1)),
        ({"x"}, add({1})),
        ({1}, add(1)),
        ("x", add([1])),
    ],
)
def test_a_value_must_fit_what_is_there(table: Any, stored: Any, update: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"a": stored})
    with invalid("Type mismatch for attribute to update"):
        table.update_item(Key=key, AttributeUpdates={"a": update})


@pytest.mark.parametrize("kind", ["S", "B", "NULL", "BOOL", "M"])
def test_add_takes_numbers_sets_and_lists(client: Any, table: Any, kind: str) -> None:
    value = {kind: {"S": "1", "B": b"b", "NULL": True, "BOOL": True, "M": {}}[kind]}
    with invalid(f"{parameters}ADD action is not supported for the type {kind}"):
        client.update_item(TableName=table.name, Key={"p": {"S": "x"}}, AttributeUpdates={"a": add(value)})


@pytest.mark.parametrize("kind", ["S", "N", "B", "NULL", "BOOL", "M", "L"])
def test_delete_takes_sets(client: Any, table: Any, kind: str) -> None:
    value = {kind: {"S": "1", "N": "1", "B": b"b", "NULL": True, "BOOL": True, "M": {}, "L": []}[kind]}
    with invalid(f"{parameters}DELETE action with value is not supported for the type {kind}"):
        client.update_item(
            TableName=table.name, Key={"p": {"S": "x"}}, AttributeUpdates={"a": {"Action": "DELETE", "Value": value}}
        )


@pytest.mark.parametrize("update", [{}, {"Action": "PUT"}, {"Action": "ADD"}])
def test_only_delete_goes_without_a_value(table: Any, update: Any) -> None:
    with invalid(f"{parameters}Only DELETE action is allowed when no attribute value is specified"):
        table.update_item(Key={"p": unique()}, AttributeUpdates={"a": update}, Expected={"a": {}})


def test_an_unknown_action_is_told_by_its_place(table: Any) -> None:
    with invalid("Value 'put' at 'attributeUpdates.a.member.action' failed to satisfy constraint"):
        table.update_item(Key={"p": unique()}, AttributeUpdates={"a": {"Action": "put", "Value": 1}})


def test_key_attributes_are_not_updated(sorted_table: Any) -> None:
    for name in ("p", "c"):
        with invalid(f"{parameters}Cannot update attribute {name}. This attribute is part of the key"):
            sorted_table.update_item(Key={"p": "x", "c": "y"}, AttributeUpdates={"a": put(1), name: put("z")})


def test_names_are_no_paths(table: Any) -> None:
    key = {"p": unique()}
    table.update_item(Key=key, AttributeUpdates={"a.b": put(1), "size": put(2), "l[0]": put(3)})
    assert table.get_item(Key=key)["Item"] == key | {"a.b": 1, "size": 2, "l[0]": 3}


def test_an_item_does_not_grow_beyond_its_limit(table: Any) -> None:
    key = {"p": unique()}
    with invalid("Item size to update has exceeded the maximum allowed size"):
        table.update_item(Key=key, AttributeUpdates={"a": put("x" * 400 * 1024)})
    assert "Item" not in table.get_item(Key=key)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ({"N": "b"}, "The parameter cannot be converted to a numeric value: b"),
        ({"SS": []}, f"{parameters}An string set  may not be empty"),
    ],
)
def test_values_are_checked(client: Any, table: Any, value: Any, message: str) -> None:
    with invalid(message):
        client.update_item(TableName=table.name, Key={"p": {"S": "x"}}, AttributeUpdates={"a": put(value)})
