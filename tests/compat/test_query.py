"""Query: key conditions, order, filters and pages."""

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary

from tests.compat.tables import invalid, items_of, pages, unique

texts = ["a", "aa", "ab", "b", "z", "é", "€", "😀"]
numbers = [Decimal(n) for n in ("-1e30", "-20", "-3.5", "-3", "-1e-100", "0", "1e-120", "0.5", "7", "10", "9.9e37")]


def filled(table: Any, sort_keys: list[Any], **attributes: Any) -> str:
    """A new partition key with one item per sort key, written in an order that is not theirs."""
    p = unique()
    with table.batch_writer() as batch:
        for c in sort_keys[1::2] + sort_keys[::2]:
            batch.put_item(Item={"p": p, "c": c} | attributes)
    return p


def sort_keys_of(table: Any, condition: Any, **request: Any) -> list[Any]:
    return [item["c"] for item in items_of(table.query, KeyConditionExpression=condition, **request)]


def test_texts_are_in_the_order_of_their_bytes(sorted_table: Any) -> None:
    p = filled(sorted_table, texts)
    assert sort_keys_of(sorted_table, Key("p").eq(p)) == texts
    assert sort_keys_of(sorted_table, Key("p").eq(p), ScanIndexForward=False) == texts[::-1]


def test_numbers_are_in_the_order_of_their_values(number_table: Any) -> None:
    p = filled(number_table, numbers)
    assert sort_keys_of(number_table, Key("p").eq(p)) == numbers
    assert sort_keys_of(number_table, Key("p").eq(p), ScanIndexForward=False) == numbers[::-1]


def test_binaries_are_in_the_order_of_their_unsigned_bytes(binary_table: Any) -> None:
    binaries = [Binary(content) for content in (b"\x00", b"\x00\x00", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\x00")]
    p = Binary(unique().encode())
    for c in binaries[::-1]:
        binary_table.put_item(Item={"p": p, "c": c})
    assert sort_keys_of(binary_table, Key("p").eq(p)) == binaries


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Key("c").eq("ab"), ["ab"]),
        (Key("c").lt("ab"), ["a", "aa"]),
        (Key("c").lte("ab"), ["a", "aa", "ab"]),
        (Key("c").gt("b"), ["z", "é", "€", "😀"]),
        (Key("c").gte("b"), ["b", "z", "é", "€", "😀"]),
        (Key("c").between("aa", "b"), ["aa", "ab", "b"]),
        (Key("c").begins_with("a"), ["a", "aa", "ab"]),
        (Key("c").begins_with("é"), ["é"]),
        (Key("c").eq("nothing"), []),
    ],
)
def test_sort_key_conditions(sorted_table: Any, condition: Any, expected: list[str]) -> None:
    p = filled(sorted_table, texts)
    assert sort_keys_of(sorted_table, Key("p").eq(p) & condition) == expected
    assert sort_keys_of(sorted_table, Key("p").eq(p) & condition, ScanIndexForward=False) == expected[::-1]


def test_prefixes_of_binaries_may_end_in_the_highest_byte(binary_table: Any) -> None:
    p = Binary(unique().encode())
    for content in (b"\xfe\xff", b"\xff", b"\xff\xff", b"\xff\xff\x01"):
        binary_table.put_item(Item={"p": p, "c": content})
    found = sort_keys_of(binary_table, Key("p").eq(p) & Key("c").begins_with(b"\xff\xff"))
    assert found == [Binary(b"\xff\xff"), Binary(b"\xff\xff\x01")]


def test_numbers_between_bounds(number_table: Any) -> None:
    p = filled(number_table, numbers)
    found = sort_keys_of(number_table, Key("p").eq(p) & Key("c").between(Decimal("-3.5"), Decimal("0.5")))
    assert found == numbers[2:8]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 8, 100])
def test_pages_put_together_are_the_whole(sorted_table: Any, forward: bool, limit: int) -> None:
    p = filled(sorted_table, texts)
    request = {"KeyConditionExpression": Key("p").eq(p), "ScanIndexForward": forward, "Limit": limit}
    found = list(pages(sorted_table.query, **request))
    assert [item["c"] for page in found for item in page["Items"]] == texts[:: 1 if forward else -1]
    assert all(page["Count"] <= limit for page in found)
    assert all(page["LastEvaluatedKey"] == page["Items"][-1] for page in found[:-1])


@pytest.mark.parametrize("forward", [True, False])
def test_a_page_holds_a_megabyte(sorted_table: Any, forward: bool) -> None:
    names = [f"{number:02}" for number in range(11)]
    p = filled(sorted_table, names, text="x" * 250_000)
    found = list(pages(sorted_table.query, KeyConditionExpression=Key("p").eq(p), ScanIndexForward=forward))
    assert [len(page["Items"]) for page in found] == [5, 5, 1]
    assert sorted(item["c"] for page in found for item in page["Items"]) == names


def test_a_filter_does_not_change_what_a_page_looks_at(sorted_table: Any) -> None:
    p = filled(sorted_table, texts)
    sorted_table.put_item(Item={"p": p, "c": "b", "wanted": True})
    request = {"KeyConditionExpression": Key("p").eq(p), "FilterExpression": Attr("wanted").eq(True)}
    page = sorted_table.query(Limit=3, **request)
    assert (page["Count"], page["ScannedCount"], page["Items"]) == (0, 3, [])
    assert page["LastEvaluatedKey"] == {"p": p, "c": "ab"}
    assert [item["c"] for item in items_of(sorted_table.query, Limit=3, **request)] == ["b"]


def test_a_count_returns_no_items(sorted_table: Any) -> None:
    p = filled(sorted_table, texts)
    page = sorted_table.query(KeyConditionExpression=Key("p").eq(p), Select="COUNT")
    assert (page["Count"], page["ScannedCount"]) == (len(texts), len(texts))
    assert "Items" not in page


def test_a_partition_key_without_items_is_an_empty_page(sorted_table: Any) -> None:
    page = sorted_table.query(KeyConditionExpression=Key("p").eq(unique()))
    assert (page["Items"], page["Count"], page["ScannedCount"]) == ([], 0, 0)
    assert "LastEvaluatedKey" not in page


def test_deleted_items_are_not_found(sorted_table: Any) -> None:
    p = filled(sorted_table, texts)
    for c in texts[::2]:
        sorted_table.delete_item(Key={"p": p, "c": c})
    assert sort_keys_of(sorted_table, Key("p").eq(p), Limit=2) == texts[1::2]


def test_a_page_may_start_at_a_key_that_is_gone(sorted_table: Any) -> None:
    p = filled(sorted_table, texts)
    page = sorted_table.query(KeyConditionExpression=Key("p").eq(p), Limit=2)
    sorted_table.delete_item(Key=page["LastEvaluatedKey"])
    rest = sorted_table.query(KeyConditionExpression=Key("p").eq(p), ExclusiveStartKey=page["LastEvaluatedKey"])
    assert [item["c"] for item in rest["Items"]] == texts[2:]


def test_capacity_is_that_of_all_that_was_looked_at(sorted_table: Any) -> None:
    p = filled(sorted_table, ["a", "b", "c"], text="x" * 4000)
    request = {"KeyConditionExpression": Key("p").eq(p), "ReturnConsumedCapacity": "TOTAL"}
    assert sorted_table.query(**request)["ConsumedCapacity"]["CapacityUnits"] == 1.5
    assert sorted_table.query(**request, ConsistentRead=True)["ConsumedCapacity"]["CapacityUnits"] == 3


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("c = :v", "Query condition missed key schema element: p"),
        ("p > :v", "Query key condition not supported"),
        ("p = :v AND a = :v", "Query condition missed key schema element: c"),
        ("p = :v OR c = :v", "Invalid operator used in KeyConditionExpression: OR"),
        ("p = :v AND c <> :v", "Invalid operator used in KeyConditionExpression: <>"),
        ("p = :v AND contains(c, :v)", "Invalid operator used in KeyConditionExpression: contains"),
        ("p = :v AND p = :v", "KeyConditionExpressions must only contain one condition per key"),
        ("p = :n", "Condition parameter type does not match schema type"),
        ("p = :e", "cannot contain an empty string value. Key: p"),
        ("", "The expression can not be empty"),
    ],
)
def test_key_conditions_that_are_refused(sorted_table: Any, expression: str, message: str) -> None:
    known = {":v": "x", ":n": 1, ":e": ""}
    values = {name: value for name, value in known.items() if name in expression}
    given = {"ExpressionAttributeValues": values} if values else {}
    with invalid(message):
        sorted_table.query(KeyConditionExpression=expression, **given)


def test_a_filter_on_a_key_attribute_is_refused(sorted_table: Any) -> None:
    with invalid("Filter Expression can only contain non-primary key attributes"):
        sorted_table.query(KeyConditionExpression=Key("p").eq("x"), FilterExpression=Attr("c").eq("y"))


mismatch = "The provided key element does not match the schema"


@pytest.mark.parametrize(
    ("start", "condition", "message"),
    [
        ({}, Key("p").eq("x"), "The provided starting key is invalid"),
        ({"p": "x"}, Key("p").eq("x"), "The provided starting key is invalid"),
        ({"p": "x", "d": "x"}, Key("p").eq("x"), "The provided starting key is invalid"),
        ({"p": "x", "c": "x", "d": "x"}, Key("p").eq("x"), "The provided starting key is invalid"),
        ({"p": 1, "c": "a"}, Key("p").eq("x"), mismatch),
        ({"p": 1, "c": "a"}, Key("c").eq("x"), mismatch),
        ({"p": "x", "c": 1}, Key("p").eq("x"), mismatch),
        ({"p": "x", "c": 1}, Key("c").eq("x"), "Query condition missed key schema element: p"),
        ({"p": "y", "c": "a"}, Key("p").eq("x"), "The provided starting key is outside query boundaries"),
        (
            {"p": "x", "c": "zz"},
            Key("p").eq("x") & Key("c").lt("m"),
            "The provided starting key does not match the range key predicate",
        ),
        (
            {"p": "y", "c": "a"},
            Key("p").eq("x") & Key("c").lt("m"),
            "The query can return at most one row and cannot be restarted",
        ),
    ],
)
def test_a_start_key_that_does_not_fit_is_refused(
    sorted_table: Any, start: dict[str, Any], condition: Any, message: str
) -> None:
    with invalid(message):
        sorted_table.query(KeyConditionExpression=condition, ExclusiveStartKey=start)


@pytest.mark.parametrize("path", ["p.x", "c[0]"])
def test_no_expression_looks_into_a_key_attribute(sorted_table: Any, path: str) -> None:
    message = (
        f"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: {path[0]}"
    )
    key = {"p": unique(), "c": "a"}
    with invalid(message):
        sorted_table.get_item(Key=key, ProjectionExpression=path)
    with invalid(message):
        sorted_table.query(KeyConditionExpression=Key("p").eq("x"), ProjectionExpression=path)
    with invalid(message):
        sorted_table.scan(ProjectionExpression=path)
    with invalid(message):
        sorted_table.scan(FilterExpression=Attr(path).exists())
    with invalid(message):
        sorted_table.update_item(Key=key, UpdateExpression=f"SET a = {path}")


def test_the_form_of_a_key_condition_is_told_before_the_table_is_looked_for(client: Any) -> None:
    with invalid("Invalid operator used in KeyConditionExpression: attribute_exists"):
        client.query(TableName=unique(), KeyConditionExpression="attribute_exists(p)")


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_at_least_one(sorted_table: Any, limit: int) -> None:
    with invalid("greater than or equal to 1"):
        sorted_table.query(KeyConditionExpression=Key("p").eq("x"), Limit=limit)
