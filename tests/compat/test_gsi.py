"""Global secondary indexes that are made with their table: what is in them, how it is read, and what is refused."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr, Key

from tests.compat.tables import attribute, invalid, items_of, pages, unique
from tests.compat.tables_with_indexes import global_index, made_with_indexes


@pytest.fixture(scope="module")
def table(resource: Any) -> Iterator[Any]:
    """Partition key `p`, with indexes on `x` (all), `x` and `n` (all), `x` (keys) and `x` (with `a`)."""
    indexes = [
        global_index("all", "x"),
        global_index("sorted", "x", "n"),
        global_index("keys", "x", projection="KEYS_ONLY"),
        global_index("included", "x", included=["a"]),
    ]
    definitions = [attribute("p", "S"), attribute("x", "S"), attribute("n", "N")]
    with made_with_indexes(resource, ["p"], definitions, GlobalSecondaryIndexes=indexes) as made:
        yield made


def query(table: Any, index: str, x: str, **request: Any) -> list[dict[str, Any]]:
    return items_of(table.query, IndexName=index, KeyConditionExpression=Key("x").eq(x), **request)


def put(table: Any, x: str, count: int = 1, **attributes: Any) -> list[dict[str, Any]]:
    items = [{"p": unique(), "x": x, "n": Decimal(number), **attributes} for number in range(count)]
    with table.batch_writer() as batch:
        for item in items:
            batch.put_item(item)
    return items


def by_p(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: item["p"])


def test_an_item_is_found_by_its_index_key(table: Any) -> None:
    x = unique()
    items = put(table, x, 3, a="b")
    assert by_p(query(table, "all", x)) == by_p(items)


def test_items_come_in_the_order_of_the_sort_key(table: Any) -> None:
    x = unique()
    items = put(table, x, 12)
    assert query(table, "sorted", x) == items
    assert query(table, "sorted", x, ScanIndexForward=False) == items[::-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("forward", [True, False])
def test_pages_go_on_where_the_one_before_ended(table: Any, limit: int, forward: bool) -> None:
    x = unique()
    items = put(table, x, 9)
    request = {"IndexName": "sorted", "KeyConditionExpression": Key("x").eq(x), "ScanIndexForward": forward}
    found = list(pages(table.query, Limit=limit, **request))
    assert all(page["Count"] <= limit for page in found)
    assert [item for page in found for item in page["Items"]] == (items if forward else items[::-1])


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_items_of_one_sort_key_are_paged_too(table: Any, limit: int) -> None:
    x = unique()
    for _ in range(6):
        put(table, x)
    found = items_of(table.query, IndexName="sorted", KeyConditionExpression=Key("x").eq(x), Limit=limit)
    assert len(found) == len({item["p"] for item in found}) == 6


def test_a_last_key_names_index_and_table_keys(table: Any) -> None:
    x = unique()
    [item, _] = put(table, x, 2)
    page = table.query(IndexName="sorted", KeyConditionExpression=Key("x").eq(x), Limit=1)
    assert page["LastEvaluatedKey"] == {"p": item["p"], "x": x, "n": 0}


def test_a_page_goes_on_after_its_last_item_was_deleted(table: Any) -> None:
    x = unique()
    items = put(table, x, 3)
    page = table.query(IndexName="sorted", KeyConditionExpression=Key("x").eq(x), Limit=1)
    table.delete_item(Key={"p": items[0]["p"]})
    rest = table.query(
        IndexName="sorted", KeyConditionExpression=Key("x").eq(x), ExclusiveStartKey=page["LastEvaluatedKey"]
    )
    assert rest["Items"] == items[1:]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Key("n").eq(2), [2]),
        (Key("n").lt(2), [0, 1]),
        (Key("n").lte(2), [0, 1, 2]),
        (Key("n").gt(2), [3, 4]),
        (Key("n").gte(2), [2, 3, 4]),
        (Key("n").between(1, 3), [1, 2, 3]),
    ],
    ids=["=", "<", "<=", ">", ">=", "between"],
)
def test_the_sort_key_bounds_a_query(table: Any, condition: Any, expected: list[int]) -> None:
    x = unique()
    put(table, x, 5)
    found = items_of(table.query, IndexName="sorted", KeyConditionExpression=Key("x").eq(x) & condition)
    assert [item["n"] for item in found] == expected


def test_an_item_without_the_index_key_is_not_in_the_index(table: Any) -> None:
    x, p = unique(), unique()
    table.put_item(Item={"p": p, "x": x})
    assert query(table, "sorted", x) == []
    assert query(table, "all", x) == [{"p": p, "x": x}]


def test_an_update_moves_an_item_within_the_index(table: Any) -> None:
    before, after = unique(), unique()
    [item] = put(table, before)
    table.update_item(Key={"p": item["p"]}, UpdateExpression="SET x = :x", ExpressionAttributeValues={":x": after})
    assert query(table, "all", before) == []
    assert query(table, "all", after) == [{**item, "x": after}]
    table.update_item(Key={"p": item["p"]}, UpdateExpression="REMOVE x")
    assert query(table, "all", after) == []


def test_a_deleted_item_leaves_the_index(table: Any) -> None:
    x = unique()
    [item] = put(table, x)
    table.delete_item(Key={"p": item["p"]})
    assert query(table, "all", x) == []


def test_a_replaced_item_leaves_its_old_place(table: Any) -> None:
    before, after = unique(), unique()
    [item] = put(table, before)
    table.put_item(Item={"p": item["p"], "x": after})
    assert query(table, "all", before) == []
    assert query(table, "all", after) == [{"p": item["p"], "x": after}]


def test_projections_show_their_attributes(table: Any) -> None:
    x = unique()
    [item] = put(table, x, a=1, b=2)
    assert query(table, "keys", x) == [{"p": item["p"], "x": x}]
    assert query(table, "included", x) == [{"p": item["p"], "x": x, "a": 1}]
    assert query(table, "included", x, Select="ALL_PROJECTED_ATTRIBUTES") == [{"p": item["p"], "x": x, "a": 1}]
    assert query(table, "all", x, Select="ALL_ATTRIBUTES") == [item]
    assert query(table, "included", x, ProjectionExpression="a") == [{"a": 1}]


def test_what_is_not_projected_can_not_be_had(table: Any) -> None:
    x = unique()
    with invalid(
        "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary"
        " index keys because its projection type is not ALL"
    ):
        query(table, "keys", x, Select="ALL_ATTRIBUTES")
    with invalid("One or more parameter values were invalid: Global secondary index keys does not project [a, b]"):
        query(table, "keys", x, ProjectionExpression="p, a, b")
    with invalid(
        "One or more parameter values were invalid: Secondary index keys does not project one or more filter"
        " attributes: [a]"
    ):
        query(table, "keys", x, FilterExpression=Attr("a").eq(1))


def test_to_a_scan_what_is_not_projected_is_missing(table: Any) -> None:
    x = unique()
    [item] = put(table, x, a=1)
    of_item = Attr("p").eq(item["p"])
    assert items_of(table.scan, IndexName="keys", FilterExpression=of_item & Attr("a").exists()) == []
    assert items_of(table.scan, IndexName="keys", FilterExpression=of_item & Attr("a").ne(1)) == [
        {"p": item["p"], "x": x}
    ]


def test_a_filter_looks_at_what_is_projected(table: Any) -> None:
    x = unique()
    put(table, x, a=1)
    put(table, x, a=2)
    page = table.query(IndexName="included", KeyConditionExpression=Key("x").eq(x), FilterExpression=Attr("a").gt(1))
    assert (page["Count"], page["ScannedCount"]) == (1, 2)


def test_a_filter_can_not_name_the_index_key_but_the_table_key(table: Any) -> None:
    x = unique()
    [item] = put(table, x)
    assert query(table, "all", x, FilterExpression=Attr("p").eq(item["p"])) == [item]
    with invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: x"):
        query(table, "all", x, FilterExpression=Attr("x").exists())


def test_a_count_needs_no_items(table: Any) -> None:
    x = unique()
    put(table, x, 4)
    page = table.query(IndexName="keys", KeyConditionExpression=Key("x").eq(x), Select="COUNT")
    assert (page["Count"], page["ScannedCount"]) == (4, 4)
    assert "Items" not in page


def test_consistent_reads_are_refused(table: Any) -> None:
    with invalid("Consistent reads are not supported on global secondary indexes"):
        query(table, "all", "x", ConsistentRead=True)
    with invalid("Consistent reads are not supported on global secondary indexes"):
        table.scan(IndexName="all", ConsistentRead=True)


def test_an_unknown_index_is_refused(table: Any) -> None:
    with invalid("The table does not have the specified index: nothing"):
        query(table, "nothing", "x")
    with invalid("The table does not have the specified index: nothing"):
        table.scan(IndexName="nothing")


def test_a_query_needs_the_index_key(table: Any) -> None:
    with invalid("Query condition missed key schema element: x"):
        table.query(IndexName="all", KeyConditionExpression=Key("p").eq("p"))
    with invalid("Query condition missed key schema element: n"):
        table.query(IndexName="sorted", KeyConditionExpression=Key("x").eq("x") & Key("p").eq("p"))


@pytest.mark.parametrize(
    "start",
    [{"p": "p"}, {"p": "p", "x": "x"}, {"p": "p", "x": "x", "y": 1}, {"p": "p", "x": "x", "n": 1, "y": 1}, {}],
    ids=["table key", "no sort key", "another attribute", "one too many", "empty"],
)
def test_a_start_key_must_have_all_keys(table: Any, start: dict[str, Any]) -> None:
    with invalid("The provided starting key is invalid"):
        table.query(IndexName="sorted", KeyConditionExpression=Key("x").eq("x"), ExclusiveStartKey=start)


def test_a_start_key_must_lie_within_the_query(table: Any) -> None:
    start = {"p": "p", "x": "y", "n": 1}
    with invalid("The provided starting key is outside query boundaries based on provided conditions"):
        table.query(IndexName="sorted", KeyConditionExpression=Key("x").eq("x"), ExclusiveStartKey=start)
    with invalid("The provided starting key does not match the range key predicate"):
        condition = Key("x").eq("y") & Key("n").gt(1)
        table.query(IndexName="sorted", KeyConditionExpression=condition, ExclusiveStartKey=start)


def test_a_scan_shows_every_entry_once(resource: Any) -> None:
    definitions = [attribute("p", "S"), attribute("x", "S")]
    indexes = [global_index("all", "x"), global_index("keys", "x", projection="KEYS_ONLY")]
    with made_with_indexes(resource, ["p"], definitions, GlobalSecondaryIndexes=indexes) as made:
        items = [{"p": unique(), "x": f"x{number % 5}"} for number in range(40)]
        with made.batch_writer() as batch:
            for item in items:
                batch.put_item(item)
            batch.put_item({"p": unique(), "y": "no entry"})
        for index in ("all", "keys"):
            assert by_p(items_of(made.scan, IndexName=index)) == by_p(items)
            assert by_p(items_of(made.scan, IndexName=index, Limit=7)) == by_p(items)
        segments = [
            items_of(made.scan, IndexName="all", Limit=3, Segment=segment, TotalSegments=6) for segment in range(6)
        ]
        assert by_p([item for segment in segments for item in segment]) == by_p(items)


@pytest.mark.parametrize("write", ["put", "update", "batch"])
def test_index_keys_must_have_their_type(table: Any, write: str) -> None:
    with invalid(
        "One or more parameter values were invalid: Type mismatch for Index Key x Expected: S Actual: N IndexName: all"
    ):
        written(table, write, x=1)
    with invalid(
        "One or more parameter values were invalid: Type mismatch for Index Key n Expected: N Actual: L"
        " IndexName: sorted"
    ):
        written(table, write, n=[1])


def test_of_several_indexes_with_a_key_the_first_by_name_is_told(resource: Any) -> None:
    indexes = [global_index(name, "x") for name in ("second", "third", "first")]
    definitions = [attribute("p", "S"), attribute("x", "S")]
    with made_with_indexes(resource, ["p"], definitions, GlobalSecondaryIndexes=indexes) as made:
        for write in ("put", "update", "batch"):
            with invalid("Type mismatch for Index Key x Expected: S Actual: N IndexName: first"):
                written(made, write, x=1)


@pytest.mark.parametrize(
    ("outcome", "value", "kind"),
    [("absent + :v", 1, "N"), ("x[0] - :v", 1, "N"), ("list_append(absent, :v)", [], "L")],
)
def test_what_an_update_computes_has_a_type_before_the_item_is_read(
    table: Any, outcome: str, value: Any, kind: str
) -> None:
    with invalid(f"Type mismatch for Index Key x Expected: S Actual: {kind} IndexName: all"):
        table.update_item(
            Key={"p": unique()}, UpdateExpression=f"SET x = {outcome}", ExpressionAttributeValues={":v": value}
        )


def test_an_update_that_computes_another_type_is_refused(table: Any) -> None:
    p = unique()
    table.put_item(Item={"p": p, "count1": 1})
    with invalid("The update expression attempted to update the secondary index key to unsupported type"):
        table.update_item(Key={"p": p}, UpdateExpression="SET x = count1")


def test_index_keys_can_not_be_empty(table: Any) -> None:
    with invalid(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The"
        " AttributeValue for a key attribute cannot contain an empty string value. IndexName: all, IndexKey: x"
    ):
        written(table, "put", x="")
    with invalid(
        "One or more parameter values are not valid. The update expression attempted to update a secondary index key"
        " to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string"
        " value."
    ):
        written(table, "update", x="")


def test_index_keys_are_bounded(table: Any) -> None:
    written(table, "put", x="x" * 2048)
    with invalid(
        "One or more parameter values were invalid: Size limit exceeded for Index Key x Actual Size: 2049 bytes"
        " Max Size: 2048 bytes IndexName: all"
    ):
        written(table, "put", x="x" * 2049)
    with invalid("The update expression attempted to update the secondary index key beyond allowed size limits"):
        written(table, "update", x="x" * 2049)


def test_expressions_can_not_look_into_index_keys(table: Any) -> None:
    message = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: x"
    with invalid(message):
        table.update_item(Key={"p": "p"}, UpdateExpression="SET x.y = :v", ExpressionAttributeValues={":v": 1})
    with invalid(message):
        table.query(IndexName="all", KeyConditionExpression=Key("x").eq("x"), ProjectionExpression="x[0]")
    with invalid(message):
        table.query(KeyConditionExpression=Key("p").eq("p"), FilterExpression=Attr("x.y").exists())


def test_capacity_of_a_query_is_the_index_own(table: Any) -> None:
    x = unique()
    put(table, x, 2, filling="f" * 5000)
    request = {"KeyConditionExpression": Key("x").eq(x), "ReturnConsumedCapacity": "INDEXES"}
    capacity = table.query(IndexName="all", **request)["ConsumedCapacity"]
    assert capacity["CapacityUnits"] == 1.5
    assert capacity["Table"] == {"CapacityUnits": 0}
    assert capacity["GlobalSecondaryIndexes"] == {"all": {"CapacityUnits": 1.5}}
    assert table.query(IndexName="keys", **request)["ConsumedCapacity"]["CapacityUnits"] == 0.5


def test_capacity_of_a_write_counts_the_indexes_that_it_concerns(table: Any) -> None:
    def consumed(expression: str, **values: Any) -> dict[str, Any]:
        request = {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}
        capacity = table.update_item(
            Key={"p": p}, UpdateExpression=expression, ReturnConsumedCapacity="INDEXES", **request
        )["ConsumedCapacity"]
        units = {name: each["CapacityUnits"] for name, each in capacity.get("GlobalSecondaryIndexes", {}).items()}
        assert capacity["CapacityUnits"] == capacity["Table"]["CapacityUnits"] + sum(units.values())
        return units

    p = unique()
    assert consumed("SET b = :b", b=1) == {}
    assert consumed("SET x = :x", x=unique()) == {"all": 1, "keys": 1, "included": 1}
    assert consumed("SET n = :n", n=1) == {"all": 1, "sorted": 1}
    assert consumed("SET b = :b", b=2) == {"all": 1, "sorted": 1}
    assert consumed("SET b = :b", b=2) == {}
    assert consumed("SET a = :a", a=2) == {"all": 1, "sorted": 1, "included": 1}
    assert consumed("SET x = :x", x=unique()) == {"all": 2, "sorted": 2, "keys": 2, "included": 2}
    assert consumed("REMOVE x") == {"all": 1, "sorted": 1, "keys": 1, "included": 1}


def written(table: Any, write: str, **attributes: Any) -> None:
    if write == "put":
        table.put_item(Item={"p": unique(), **attributes})
    elif write == "batch":
        with table.batch_writer() as batch:
            batch.put_item({"p": unique(), **attributes})
    else:
        [(name, value)] = attributes.items()
        table.update_item(
            Key={"p": unique()}, UpdateExpression=f"SET {name} = :v", ExpressionAttributeValues={":v": value}
        )
