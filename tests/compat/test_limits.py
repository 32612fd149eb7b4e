"""Limits: what just fits is taken, one more is refused."""

import json
import re
from contextlib import nullcontext
from typing import Any

import pytest

from tests.compat.connection import ask
from tests.compat.tables import invalid, refused, unique

item_bytes_max = 400 * 1024


def nested(levels: int, kind: str) -> Any:
    """A text inside so many levels of documents, counting its own."""
    value: Any = "x"
    for _ in range(levels - 1):
        value = [value] if kind == "list" else {"a": value}
    return value


def test_an_item_of_400_kilobytes_is_taken_and_one_byte_more_refused(table: Any) -> None:
    key = {"p": unique()}
    rest = item_bytes_max - len("p") - len(key["p"]) - len("text")
    table.put_item(Item=key | {"text": "x" * rest})
    assert len(table.get_item(Key=key)["Item"]["text"]) == rest
    with invalid("Item size has exceeded the maximum allowed size"):
        table.put_item(Item=key | {"text": "x" * (rest + 1)})


def test_sizes_are_those_of_utf_8(table: Any) -> None:
    with invalid("Item size has exceeded the maximum allowed size"):
        table.put_item(Item={"p": unique(), "text": "€" * (item_bytes_max // 3)})


@pytest.mark.parametrize(
    ("more", "values", "bytes_more"),
    [
        ("", {}, 0),
        (", c = :c", {":c": {"S": "y" * 500}}, 19 + 1 + 500),
        (", c = a", {}, 19 + 1 + 1 + 14 + 1),
        (", c = m.#x", {}, 19 + 1 + 1 + 14 + 1 + 14 + 5),
        (", m.#x = :c", {":c": {"N": "1"}}, 19 + 1 + 4 + 5 + 2),
        (", c = l[10]", {}, 19 + 1 + 1 + 14 + 1 + 14 + 2),
        (", n = n + :c", {":c": {"N": "1"}}, 19 + 1 + 34 + 15 + 1 + 2),
        (", n = n - :c", {":c": {"N": "1"}}, 19 + 1 + 37 + 15 + 1 + 2),
        (", c = if_not_exists(a, :c)", {":c": {"M": {"k": {"S": "y"}}}}, 19 + 1 + 39 + 15 + 1 + 3 + 1 + 1 + 1),
        (", l = list_append(l, :c)", {":c": {"L": [{"S": "y"}]}}, 19 + 1 + 37 + 15 + 1 + 3 + 1 + 1),
        (" ADD s :c", {":c": {"SS": ["y" * 500]}}, 19 + 1 + 500),
        (" REMOVE m.#x, l[10]", {}, 1 + 1 + 4 + 5 + 1 + 1 + 4 + 2),
        (" DELETE s :c", {":c": {"SS": ["x"]}}, 1 + 1),
    ],
)
def test_an_update_expression_has_a_weight_of_its_own(
    client: Any, table: Any, more: str, values: dict[str, Any], bytes_more: int
) -> None:
    """What it writes counts, and each action something fixed; of the item nothing counts, nor does the key."""
    attributes = {
        "a": {"S": "x"},
        "n": {"N": "1"},
        "s": {"SS": ["x"]},
        "m": {"M": {"inner": {"S": "x"}}},
        "l": {"L": [{"S": "x"}] * 11},
    }
    item = {"p": {"S": unique()[-6:]}} | {name: attributes[name] for name in re.findall(r"\b[anslm]\b", more)}
    request: dict[str, Any] = {"TableName": table.name, "Key": {"p": item["p"]}}
    request["UpdateExpression"] = "SET b = :b" + more
    if "#x" in more:
        request["ExpressionAttributeNames"] = {"#x": "inner"}
    most = item_bytes_max - 23 - bytes_more  # 3 of the update, 19 of SET, 1 of the name
    for size, fits in ((most + 1, False), (most, True)):
        client.put_item(TableName=table.name, Item=item)
        request["ExpressionAttributeValues"] = values | {":b": {"S": "x" * size}}
        with nullcontext() if fits else invalid("Item size to update has exceeded the maximum allowed size"):
            client.update_item(**request)


def test_an_update_is_too_large_once_its_key_fits(client: Any, table: Any) -> None:
    def update(text: str, **changed: Any) -> None:
        client.update_item(
            **{"TableName": table.name, "Key": {"p": {"S": "x"}}, **changed},
            UpdateExpression=text,
            ExpressionAttributeValues={":v": {"S": "x" * item_bytes_max}},
        )

    with refused("ResourceNotFoundException"):
        update("SET b = :v", TableName="nowhere")
    with invalid("The provided key element does not match the schema"):
        update("SET b = :v", Key={"p": {"N": "1"}})
    for text in ("SET p = :v", "SET b = if_not_exists(b, :v)", "SET b.c = :v"):
        with invalid("Item size to update has exceeded the maximum allowed size"):
            update(text)


@pytest.mark.parametrize("kind", ["list", "map"])
def test_documents_nest_32_levels(table: Any, kind: str) -> None:
    item = {"p": unique(), "document": nested(32, kind)}
    table.put_item(Item=item)
    assert table.get_item(Key={"p": item["p"]})["Item"] == item
    with invalid("Nesting Levels have exceeded supported limits"):
        table.put_item(Item={"p": unique(), "document": nested(33, kind)})


def test_keys_have_a_largest_size(sorted_table: Any) -> None:
    sorted_table.put_item(Item={"p": "p" * 2048, "c": "c" * 1024})
    sorted_table.delete_item(Key={"p": "p" * 2048, "c": "c" * 1024})
    with invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes"):
        sorted_table.put_item(Item={"p": "p" * 2049, "c": "c"})
    with invalid("Aggregated size of all range keys has exceeded the size limit of 1024 bytes"):
        sorted_table.put_item(Item={"p": "p", "c": "c" * 1025})


def test_names_have_65535_bytes(table: Any) -> None:
    key, name = {"p": unique()}, "n" * 65_535
    table.put_item(Item=key | {name: 1})
    assert table.get_item(Key=key, AttributesToGet=[name])["Item"] == {name: 1}
    named = {"ProjectionExpression": "#n", "ExpressionAttributeNames": {"#n": name}}
    assert table.get_item(Key=key, **named)["Item"] == {name: 1}
    longer = name + "n"
    message = "Attribute name is too large, must be less than 65536 bytes"
    with invalid(message):
        table.put_item(Item=key | {longer: 1})
    with invalid(message):
        table.put_item(Item=key, Expected={longer: {"Exists": False}})
    with invalid(message):
        table.update_item(Key=key, AttributeUpdates={longer: {"Action": "DELETE"}})
    with invalid(message):
        table.get_item(Key=key, AttributesToGet=[longer])
    with invalid(message):
        table.get_item(Key=key, **named | {"ExpressionAttributeNames": {"#n": longer}})
    with invalid(message):
        table.scan(ScanFilter={longer: {"ComparisonOperator": "NULL"}})


def test_names_within_a_document_have_65535_bytes_too(table: Any) -> None:
    key, name = {"p": unique()}, "€" * (65_535 // 3)
    document = {"list": [{name: 1}]}
    table.put_item(Item=key | {"document": document})
    assert table.get_item(Key=key)["Item"]["document"] == document
    longer = {"list": [{name + "n": 1}]}
    with invalid("Attribute name is too large, must be less than 65536 bytes"):
        table.put_item(Item=key | {"document": longer})
    with invalid("Attribute name is too large, must be less than 65536 bytes"):
        table.update_item(Key=key, UpdateExpression="SET a = :a", ExpressionAttributeValues={":a": longer})


def test_a_position_in_a_list_has_32_bits(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"l": ["a"]})
    value = {":v": "b"}
    table.update_item(Key=key, UpdateExpression="SET l[4294967294] = :v", ExpressionAttributeValues=value)
    assert table.get_item(Key=key)["Item"]["l"] == ["a", "b"]
    with invalid("List index is not within the allowable range; index: [4294967295]"):
        table.update_item(Key=key, UpdateExpression="SET l[4294967295] = :v", ExpressionAttributeValues=value)


@pytest.mark.parametrize(
    ("operation", "parameter", "told"),
    [
        ("PutItem", "ConditionExpression", " expression size: 4097"),
        ("Scan", "FilterExpression", " expression size: 4097"),
        ("GetItem", "ProjectionExpression", ""),
        ("Query", "KeyConditionExpression", ""),
        ("UpdateItem", "UpdateExpression", ""),
    ],
)
def test_an_expression_has_4_kilobytes(url: str, table: Any, operation: str, parameter: str, told: str) -> None:
    key = {"p": {"S": "x"}}
    request = {"TableName": table.name, "Item": key, "Key": key, parameter: "a" * 4097}
    message = ask(url, operation, json.dumps(request).encode()).document["message"]
    assert message.removeprefix("1 validation error detected: ") == (
        f"Invalid {parameter}: Expression size has exceeded the maximum allowed size;{told}"
    )


def test_names_and_values_have_2_megabytes_together(client: Any, table: Any) -> None:
    names = {f"#{number}": f"{number}" + "n" * 50_000 for number in range(10)}
    values = {f":{number}": {"S": "v" * 100_000} for number in range(15)}
    room = 2 * 1024 * 1024 - sum(map(len, names.values())) - 15 * 100_000

    def scan(more: str) -> Any:
        compared = [f"{name} = :more" for name in names] + [f"a <> {value}" for value in values]
        return client.scan(
            TableName=table.name,
            FilterExpression=" OR ".join(compared),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values | {":more": {"S": more}},
            Limit=1,
        )

    assert "ScannedCount" in scan("m" * room)
    with invalid("maximum allowed size"):
        scan("m" * (room + 1))


def test_in_takes_100_operands(table: Any) -> None:
    key = {"p": unique()}
    table.put_item(Item=key | {"n": 99})

    def conditioned(count: int) -> None:
        values = {f":v{number}": number for number in range(count)}
        table.put_item(
            Item=key | {"n": 99},
            ConditionExpression=f"n IN ({', '.join(values)})",
            ExpressionAttributeValues=values,
        )

    conditioned(100)
    with invalid():
        conditioned(101)


def test_parentheses_and_negations_nest_only_so_deep(table: Any) -> None:
    for depth in (1000, 2000):
        with invalid():
            table.put_item(Item={"p": "x"}, ConditionExpression="(" * depth + "a = a" + ")" * depth)
    with invalid():
        table.put_item(Item={"p": "x"}, ConditionExpression="NOT " * 1000 + "a = a")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"SS": []}, "may not be empty"),
        ({"NS": []}, "may not be empty"),
        ({"BS": []}, "should not be empty"),
        ({"SS": ["a", "a"]}, "contains duplicates"),
        ({"BS": [b"a", b"a"]}, "contains duplicates"),
        ({"NULL": False}, "Null attribute value types must have the value of true"),
        ({}, "must contain exactly one of the supported datatypes"),
        ({"S": "a", "N": "1"}, "must contain exactly one of the supported datatypes"),
    ],
)
def test_values_that_cannot_be(client: Any, table: Any, value: dict[str, Any], message: str) -> None:
    with invalid(message):
        client.put_item(TableName=table.name, Item={"p": {"S": "x"}, "a": value})
    with invalid(message):
        client.put_item(TableName=table.name, Item={"p": {"S": "x"}, "a": {"L": [{"M": {"b": value}}]}})
