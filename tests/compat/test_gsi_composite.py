"""Global indexes whose keys have several attributes: all of the partition key are given, of the sort key the first."""

from collections.abc import Iterator
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from tests.compat.tables import attribute, invalid, items_of, unique
from tests.compat.tables_with_indexes import composite_index, made_with_indexes


@pytest.fixture(scope="module")
def table(resource: Any) -> Iterator[Any]:
    """Partition key `p`; the index has the partition key `a`, `b` and the sort key `x`, `y`, `z`."""
    definitions = [attribute(name, kind) for name, kind in zip("pabxyz", "SSNSNS", strict=True)]
    indexes = [composite_index("wide", "ab", "xyz")]
    with made_with_indexes(resource, ["p"], definitions, GlobalSecondaryIndexes=indexes) as made:
        yield made


@pytest.fixture(scope="module")
def filled(table: Any) -> tuple[str, list[dict[str, Any]]]:
    """Items of one partition key in the order of the sort key, and others around them."""
    a = unique()
    items = [
        {"p": unique(), "a": a, "b": 1, "x": x, "y": y, "z": z}
        for x in ("k", "k\x00", "kk", "l")
        for y in (-2, 3, 20)
        for z in ("", "z")
        if z
    ]
    with table.batch_writer() as batch:
        for item in reversed(items):
            batch.put_item(item)
        batch.put_item({"p": unique(), "a": a, "b": 2, "x": "k", "y": 3, "z": "z"})
        batch.put_item({"p": unique(), "a": a + "1", "b": 1, "x": "k", "y": 3, "z": "z"})
        batch.put_item({"p": unique(), "a": a, "b": 1, "x": "k", "y": 3})
    return a, items


def query(table: Any, condition: Any, **request: Any) -> list[dict[str, Any]]:
    return items_of(table.query, IndexName="wide", KeyConditionExpression=condition, **request)


@pytest.mark.parametrize("limit", [None, 1, 5])
@pytest.mark.parametrize("forward", [True, False])
def test_items_come_in_the_order_of_all_sort_attributes(
    table: Any, filled: tuple[str, list[dict[str, Any]]], limit: int | None, forward: bool
) -> None:
    a, items = filled
    request = {} if limit is None else {"Limit": limit}
    found = query(table, Key("a").eq(a) & Key("b").eq(1), ScanIndexForward=forward, **request)
    assert found == (items if forward else items[::-1])


@pytest.mark.parametrize(
    ("condition", "chosen"),
    [
        (Key("x").eq("k"), lambda item: item["x"] == "k"),
        (Key("x").begins_with("k"), lambda item: item["x"].startswith("k")),
        (Key("x").lt("kk"), lambda item: item["x"] < "kk"),
        (Key("x").lte("kk"), lambda item: item["x"] <= "kk"),
        (Key("x").gt("k"), lambda item: item["x"] > "k"),
        (Key("x").gte("kk"), lambda item: item["x"] >= "kk"),
        (Key("x").between("k\x00", "kk"), lambda item: "k\x00" <= item["x"] <= "kk"),
        (Key("x").eq("k") & Key("y").gt(-2), lambda item: item["x"] == "k" and item["y"] > -2),
        (Key("x").eq("k") & Key("y").lte(3), lambda item: item["x"] == "k" and item["y"] <= 3),
        (Key("x").eq("k") & Key("y").between(-2, 3), lambda item: item["x"] == "k" and -2 <= item["y"] <= 3),
        (
            Key("x").eq("l") & Key("y").eq(3) & Key("z").begins_with("z"),
            lambda item: (item["x"], item["y"]) == ("l", 3),
        ),
        (Key("x").eq("l") & Key("y").eq(3) & Key("z").lt("z"), lambda _: False),
    ],
)
def test_the_last_sort_attribute_may_be_a_range(
    table: Any, filled: tuple[str, list[dict[str, Any]]], condition: Any, chosen: Any
) -> None:
    a, items = filled
    found = query(table, Key("a").eq(a) & Key("b").eq(1) & condition, Limit=2)
    assert found == [item for item in items if chosen(item)]


def unequal(kind: str, *names: str, last: str = "") -> str:
    """What of a key is not given by equality, though it should be, for all of it or for the last one to be given."""
    reason = f" because a condition is present on key attribute {last}" if last else ""
    return f"{kind} key attributes {', '.join(names)} must have equality conditions specified in the query{reason}"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (Key("a").eq("a"), unequal("HASH", "b")),
        (Key("a").eq("a") & Key("x").eq("x"), unequal("HASH", "b")),
        (Key("a").eq("a") & Key("b").gt(1), unequal("HASH", "b")),
        (Key("a").eq("a") & Key("b").begins_with("b"), "does not match schema type"),
        (Key("a").eq("a") & Key("b").eq(1) & Key("y").eq(1), unequal("RANGE", "x", last="y")),
        (Key("a").eq("a") & Key("b").eq(1) & Key("x").eq("x") & Key("z").eq("z"), unequal("RANGE", "y", last="z")),
        (Key("a").eq("a") & Key("b").eq(1) & Key("x").gt("x") & Key("y").eq(1), unequal("RANGE", "x", last="y")),
        (Key("a").eq("a") & Key("b").eq(1) & Key("x").gt("x") & Key("y").gt(1), unequal("RANGE", "x", last="y")),
        (Key("a").eq("a") & Key("b").eq(1) & Key("z").eq("z"), unequal("RANGE", "x", "y", last="z")),
        (Key("a").eq("a") & Key("b").eq(1) & Key("none").eq("z"), "Query condition missed key schema element: x"),
        (
            Key("a").eq("a") & Key("b").eq("1"),
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
    ],
)
def test_other_conditions_are_refused(table: Any, condition: Any, message: str) -> None:
    with invalid(message):
        query(table, condition)


def test_a_start_key_names_all_key_attributes(table: Any, filled: tuple[str, list[dict[str, Any]]]) -> None:
    a, [first, *_] = filled
    page = table.query(IndexName="wide", KeyConditionExpression=Key("a").eq(a) & Key("b").eq(1), Limit=1)
    assert page["LastEvaluatedKey"] == first


_not_for_statements = (
    "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute"
)


@pytest.mark.parametrize(
    "rest", ["* FROM {i} WHERE a='a' AND b=1", "* FROM {i} WHERE b='x'", "p FROM {i}", "COUNT(*) FROM {i}"]
)
def test_no_statement_reads_an_index_on_several_attributes(client: Any, table: Any, rest: str) -> None:
    statement = f"SELECT {rest}".replace("{i}", f'"{table.name}"."wide"')
    with invalid(_not_for_statements):
        client.execute_statement(Statement=statement)
    [response] = client.batch_execute_statement(Statements=[{"Statement": statement}])["Responses"]
    assert response["Error"]["Message"].startswith(_not_for_statements)
