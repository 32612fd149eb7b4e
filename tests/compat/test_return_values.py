"""ReturnValues and ReturnConsumedCapacity."""

from typing import Any

import pytest

from tests.compat.tables import invalid, unique


def test_a_put_returns_the_old_item(table: Any) -> None:
    item = {"p": unique(), "a": 1}
    assert "Attributes" not in table.put_item(Item=item, ReturnValues="ALL_OLD")
    assert table.put_item(Item=item | {"a": 2}, ReturnValues="ALL_OLD")["Attributes"] == item
    assert "Attributes" not in table.put_item(Item=item)


def test_a_delete_returns_the_old_item(table: Any) -> None:
    item = {"p": unique(), "a": 1}
    table.put_item(Item=item)
    assert table.delete_item(Key={"p": item["p"]}, ReturnValues="ALL_OLD")["Attributes"] == item


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("NONE", None),
        ("ALL_OLD", {"a": 1, "m": {"x": 1, "y": 2}}),
        ("UPDATED_OLD", {"a": 1, "m": {"x": 1}}),
        ("ALL_NEW", {"a": 5, "m": {"x": 6, "y": 2}, "b": 7}),
        ("UPDATED_NEW", {"a": 5, "m": {"x": 6}, "b": 7}),
    ],
)
def test_an_update_returns_what_was_asked_for(table: Any, wanted: str, expected: dict[str, Any] | None) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"a": 1, "m": {"x": 1, "y": 2}})
    reply = table.update_item(
        Key=key,
        UpdateExpression="SET a = :a, m.x = :x, b = :b",
        ExpressionAttributeValues={":a": 5, ":x": 6, ":b": 7},
        ReturnValues=wanted,
    )
    whole = key if wanted.startswith("ALL") else {}
    assert reply.get("Attributes") == (None if expected is None else whole | expected)


def test_an_update_that_makes_the_item_has_nothing_old(table: Any) -> None:
    for wanted in ("ALL_OLD", "UPDATED_OLD"):
        reply = table.update_item(
            Key={"p": unique()},
            UpdateExpression="SET a = :a",
            ExpressionAttributeValues={":a": 1},
            ReturnValues=wanted,
        )
        assert "Attributes" not in reply


def test_removed_attributes_are_not_among_the_new(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"a": 1})
    reply = table.update_item(Key=key, UpdateExpression="REMOVE a", ReturnValues="UPDATED_NEW")
    assert "Attributes" not in reply


@pytest.mark.parametrize("wanted", ["ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"])
def test_puts_and_deletes_have_only_an_old_item(table: Any, wanted: str) -> None:
    with invalid("ReturnValues can only be ALL_OLD or NONE"):
        table.put_item(Item={"p": unique()}, ReturnValues=wanted)
    with invalid("ReturnValues can only be ALL_OLD or NONE"):
        table.delete_item(Key={"p": unique()}, ReturnValues=wanted)


def test_capacity_is_counted_by_size(table: Any) -> None:
    key = {"p": unique()}
    written = table.put_item(Item=key | {"a": "x" * 5000}, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert (written["TableName"], written["CapacityUnits"]) == (table.name, 5)
    found = table.get_item(Key=key, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert found["CapacityUnits"] == 1
    found = table.get_item(Key=key, ConsistentRead=True, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert found["CapacityUnits"] == 2
    deleted = table.delete_item(Key=key, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert deleted["CapacityUnits"] == 5


def test_capacity_is_told_only_when_asked_for(table: Any) -> None:
    assert "ConsumedCapacity" not in table.put_item(Item={"p": unique()})
    assert "ConsumedCapacity" not in table.get_item(Key={"p": "x"}, ReturnConsumedCapacity="NONE")
