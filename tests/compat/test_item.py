"""PutItem, GetItem and DeleteItem."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import Binary

from tests.compat.tables import invalid, refused, unique

every_type = {
    "text": "straße 😀",
    "number": Decimal("-12.5"),
    "binary": Binary(b"\x00\xff"),
    "flag": True,
    "nothing": None,
    "texts": {"a", "b"},
    "numbers": {Decimal(1), Decimal("2.5")},
    "binaries": {Binary(b"a"), Binary(b"b")},
    "list": ["x", Decimal(1), None, [False, {"deep": "er"}]],
    "map": {"inner": {"list": [Decimal(3)]}, "": "not here"},
}


def test_an_item_is_read_as_it_was_put(table: Any) -> None:
    item = {"p": unique(), "a": "hello", "n": Decimal("1.5")}
    table.put_item(Item=item)
    assert table.get_item(Key={"p": item["p"]})["Item"] == item
    assert table.get_item(Key={"p": item["p"]}, ConsistentRead=True)["Item"] == item


@pytest.mark.parametrize("name", [name for name in every_type if name != "map"])
def test_every_type_survives(table: Any, name: str) -> None:
    item = {"p": unique(), "value": every_type[name]}
    table.put_item(Item=item)
    assert table.get_item(Key={"p": item["p"]})["Item"] == item


def test_documents_survive_with_all_they_hold(table: Any) -> None:
    document = {name: value for name, value in every_type.items() if name != "map"}
    item = {"p": unique(), "document": {"map": document, "list": [document, [document]]}}
    table.put_item(Item=item)
    assert table.get_item(Key={"p": item["p"]})["Item"] == item


def test_empty_texts_and_binaries_are_values_of_other_attributes(table: Any) -> None:
    item = {"p": unique(), "text": "", "binary": Binary(b""), "list": [], "map": {}}
    table.put_item(Item=item)
    assert table.get_item(Key={"p": item["p"]})["Item"] == item


def test_sets_come_in_the_order_of_their_members(client: Any, table: Any) -> None:
    sets = {
        "SS": ["b", "a", "Z", "é", ""],
        "NS": ["10", "9", "-1", "2.5"],
        "BS": [b"\xff", b"", b"a"],
    }
    key = {"p": {"S": unique()}}
    client.put_item(TableName=table.name, Item=key | {kind: {kind: members} for kind, members in sets.items()})
    item = client.get_item(TableName=table.name, Key=key)["Item"]
    assert item["SS"] == {"SS": ["", "Z", "a", "b", "é"]}
    assert item["NS"] == {"NS": ["-1", "2.5", "9", "10"]}
    assert item["BS"] == {"BS": [b"", b"a", b"\xff"]}


def test_a_put_replaces_the_whole_item(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"a": 1, "b": 2})
    table.put_item(Item=key | {"c": 3})
    assert table.get_item(Key=key)["Item"] == key | {"c": 3}


def test_a_deleted_item_is_gone(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key)
    table.delete_item(Key=key)
    assert "Item" not in table.get_item(Key=key)
    table.put_item(Item=key | {"again": True})
    assert table.get_item(Key=key)["Item"]["again"]


def test_reading_and_deleting_what_is_not_there_succeeds(table: Any) -> None:
    key = {"p": unique()}
    assert "Item" not in table.get_item(Key=key)
    assert "Attributes" not in table.delete_item(Key=key, ReturnValues="ALL_OLD")


def test_items_of_one_partition_key_differ_by_sort_key(sorted_table: Any) -> None:
    p = unique()
    for c in ("a", "b"):
        sorted_table.put_item(Item={"p": p, "c": c, "value": c})
    assert sorted_table.get_item(Key={"p": p, "c": "b"})["Item"]["value"] == "b"


def test_number_keys_are_the_same_when_their_values_are(number_table: Any) -> None:
    p = unique()
    number_table.put_item(Item={"p": p, "c": Decimal("1.50")})
    found = number_table.get_item(Key={"p": p, "c": Decimal("15e-1")})
    assert found["Item"]["c"] == Decimal("1.5")


def test_binary_keys_hold_any_bytes(binary_table: Any) -> None:
    item = {"p": Binary(unique().encode() + b"\x00\xff"), "c": Binary(b"\xff\x00")}
    binary_table.put_item(Item=item)
    assert binary_table.get_item(Key=item)["Item"] == item


@pytest.mark.parametrize("item", [{}, {"a": "x"}, {"p": "x"}])
def test_an_item_without_its_key_is_refused(sorted_table: Any, item: dict[str, str]) -> None:
    with invalid("Missing the key"):
        sorted_table.put_item(Item=item)


def test_a_key_attribute_of_another_type_is_refused(sorted_table: Any) -> None:
    with invalid("Type mismatch for key c expected: S actual: N"):
        sorted_table.put_item(Item={"p": "x", "c": 7})


@pytest.mark.parametrize("key", [{"p": "x"}, {"p": "x", "c": "y", "d": "z"}, {"p": "x", "d": "y"}, {"p": 1, "c": "y"}])
def test_a_key_that_does_not_match_the_schema_is_refused(sorted_table: Any, key: dict[str, Any]) -> None:
    with invalid("The provided key element does not match the schema"):
        sorted_table.get_item(Key=key)
    with invalid("The provided key element does not match the schema"):
        sorted_table.delete_item(Key=key)


def test_empty_keys_are_refused(table: Any, binary_table: Any) -> None:
    with invalid("empty string value. Key: p"):
        table.put_item(Item={"p": ""})
    with invalid("empty string value. Key: p"):
        table.get_item(Key={"p": ""})
    with invalid("empty binary value. Key: c"):
        binary_table.put_item(Item={"p": b"x", "c": b""})


def test_operations_on_a_table_that_is_not_there_are_refused(client: Any) -> None:
    name, key = unique("nowhere"), {"p": {"S": "x"}}
    for operation, arguments in [
        (client.get_item, {"Key": key}),
        (client.put_item, {"Item": key}),
        (client.delete_item, {"Key": key}),
        (client.update_item, {"Key": key}),
        (client.scan, {}),
    ]:
        with refused("ResourceNotFoundException", "Requested resource not found"):
            operation(TableName=name, **arguments)
