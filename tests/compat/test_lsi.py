"""Local secondary indexes: item collections in another order, with the table at hand for what the index lacks."""

from collections.abc import Iterator
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr, Key

from tests.compat.tables import attribute, invalid, items_of, pages, unique
from tests.compat.tables_with_indexes import local_index, made_with_indexes


@pytest.fixture(scope="module")
def table(resource: Any) -> Iterator[Any]:
    """Keys `p` and `c`, with indexes on `n` (all), on `s` (keys) and on `n` (with `a`)."""
    indexes = [
        local_index("all", "p", "n"),
        local_index("keys", "p", "s", projection="KEYS_ONLY"),
        local_index("included", "p", "n", included=["a"]),
    ]
    definitions = [attribute("p", "S"), attribute("c", "S"), attribute("n", "N"), attribute("s", "S")]
    with made_with_indexes(resource, ["p", "c"], definitions, LocalSecondaryIndexes=indexes) as made:
        yield made


def query(table: Any, index: str, p: str, **request: Any) -> list[dict[str, Any]]:
    return items_of(table.query, IndexName=index, KeyConditionExpression=Key("p").eq(p), **request)


def put(table: Any, p: str, count: int = 1, **attributes: Any) -> list[dict[str, Any]]:
    """Items whose order by `n` is the reverse of that by `c`."""
    items = [{"p": p, "c": f"c{9 - number}", "n": number, "s": f"s{number}", **attributes} for number in range(count)]
    with table.batch_writer() as batch:
        for item in items:
            batch.put_item(item)
    return items


@pytest.mark.parametrize("consistent", [True, False])
def test_a_collection_comes_in_the_order_of_the_index(table: Any, consistent: bool) -> None:
    p = unique()
    items = put(table, p, 6)
    assert query(table, "all", p, ConsistentRead=consistent) == items
    assert query(table, "all", p, ConsistentRead=consistent, ScanIndexForward=False) == items[::-1]


@pytest.mark.parametrize("limit", [1, 2, 4])
@pytest.mark.parametrize("forward", [True, False])
def test_pages_go_on_where_the_one_before_ended(table: Any, limit: int, forward: bool) -> None:
    p = unique()
    items = put(table, p, 7)
    request = {"IndexName": "all", "KeyConditionExpression": Key("p").eq(p), "ScanIndexForward": forward}
    found = list(pages(table.query, Limit=limit, **request))
    assert [item for page in found for item in page["Items"]] == (items if forward else items[::-1])
    assert all(page["LastEvaluatedKey"].keys() == {"p", "c", "n"} for page in found[:-1])


def test_items_of_one_sort_key_come_in_the_order_of_the_table(table: Any) -> None:
    p = unique()
    for c in ("b", "c", "a"):
        table.put_item(Item={"p": p, "c": c, "n": 1})
    assert [item["c"] for item in query(table, "all", p, Limit=1)] == ["a", "b", "c"]


def test_the_sort_key_bounds_a_query(table: Any) -> None:
    p = unique()
    items = put(table, p, 6)
    found = items_of(table.query, IndexName="keys", KeyConditionExpression=Key("p").eq(p) & Key("s").begins_with("s"))
    assert [item["c"] for item in found] == [item["c"] for item in items]
    found = items_of(table.query, IndexName="all", KeyConditionExpression=Key("p").eq(p) & Key("n").between(2, 3))
    assert found == items[2:4]


def test_an_item_without_the_sort_key_is_not_in_the_index(table: Any) -> None:
    p = unique()
    table.put_item(Item={"p": p, "c": "c", "s": "s"})
    assert query(table, "all", p) == []
    assert query(table, "keys", p) == [{"p": p, "c": "c", "s": "s"}]


def test_projections_show_their_attributes(table: Any) -> None:
    p = unique()
    [item] = put(table, p, a=1, b=2)
    keys = {"p": p, "c": item["c"]}
    assert query(table, "keys", p) == [{**keys, "s": "s0"}]
    assert query(table, "included", p) == [{**keys, "n": 0, "a": 1}]


def test_what_is_not_projected_comes_from_the_table(table: Any) -> None:
    p = unique()
    [item] = put(table, p, a=1, b=2)
    assert query(table, "keys", p, Select="ALL_ATTRIBUTES") == [item]
    assert query(table, "keys", p, ProjectionExpression="a, b") == [{"a": 1, "b": 2}]
    assert items_of(table.scan, IndexName="keys", Select="ALL_ATTRIBUTES", FilterExpression=Attr("p").eq(p)) == [item]


def test_fetching_from_the_table_is_paid_for(table: Any) -> None:
    p = unique()
    put(table, p, 3, b="b" * 5000)
    request = {"KeyConditionExpression": Key("p").eq(p), "ReturnConsumedCapacity": "INDEXES"}
    capacity = table.query(IndexName="keys", **request)["ConsumedCapacity"]
    assert capacity["CapacityUnits"] == 0.5
    assert capacity["LocalSecondaryIndexes"] == {"keys": {"CapacityUnits": 0.5}}
    capacity = table.query(IndexName="keys", Select="ALL_ATTRIBUTES", **request)["ConsumedCapacity"]
    assert capacity["CapacityUnits"] == 3.5
    assert capacity["Table"] == {"CapacityUnits": 3}
    capacity = table.query(IndexName="all", ConsistentRead=True, **request)["ConsumedCapacity"]
    assert capacity["LocalSecondaryIndexes"] == {"all": {"CapacityUnits": 4}}


def test_writes_count_the_indexes_that_they_concern(table: Any) -> None:
    key = {"p": unique(), "c": "c"}
    capacity = table.put_item(Item={**key, "n": 1}, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    assert capacity["CapacityUnits"] == 3
    assert capacity["Table"] == {"CapacityUnits": 1}
    assert capacity["LocalSecondaryIndexes"] == {"all": {"CapacityUnits": 1}, "included": {"CapacityUnits": 1}}
    assert table.delete_item(Key=key, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]["CapacityUnits"] == 3


def test_sizes_of_item_collections_are_told(table: Any) -> None:
    p = unique()
    wish = {"ReturnItemCollectionMetrics": "SIZE"}
    metrics = {"ItemCollectionKey": {"p": p}, "SizeEstimateRangeGB": [0, 1]}
    assert table.put_item(Item={"p": p, "c": "c", "n": 1}, **wish)["ItemCollectionMetrics"] == metrics
    assert table.update_item(Key={"p": p, "c": "c"}, **wish)["ItemCollectionMetrics"] == metrics
    assert table.delete_item(Key={"p": p, "c": "c"}, **wish)["ItemCollectionMetrics"] == metrics
    assert "ItemCollectionMetrics" not in table.put_item(Item={"p": p, "c": "c"})
    put_request = [{"PutRequest": {"Item": {"p": p, "c": "d"}}}]
    written = table.meta.client.batch_write_item(RequestItems={table.name: put_request}, **wish)
    assert written["ItemCollectionMetrics"] == {table.name: [metrics]}


def test_an_item_and_its_entries_have_400_kilobytes_together(table: Any) -> None:
    key, half = {"p": unique(), "c": "c"}, "x" * (200 * 1024)
    too_large = key | {"n": 1, "text": half}
    with invalid("Item size has exceeded the maximum allowed size"):
        table.put_item(Item=too_large)
    with invalid("Item size has exceeded the maximum allowed size"):
        table.meta.client.batch_write_item(RequestItems={table.name: [{"PutRequest": {"Item": too_large}}]})
    table.put_item(Item=key | {"s": "an entry of keys", "text": half})
    with invalid("Item size to update has exceeded the maximum allowed size"):
        table.update_item(Key=key, UpdateExpression="SET n = :n", ExpressionAttributeValues={":n": 1})
    table.put_item(Item=key | {"text": half, "no entry": half[:-100]})


def test_tables_without_local_indexes_tell_no_sizes(sorted_table: Any) -> None:
    written = sorted_table.put_item(Item={"p": unique(), "c": "c"}, ReturnItemCollectionMetrics="SIZE")
    assert "ItemCollectionMetrics" not in written


def test_index_keys_must_have_their_type(table: Any) -> None:
    with invalid(
        "One or more parameter values were invalid: Type mismatch for Index Key n Expected: N Actual: S IndexName: all"
    ):
        table.put_item(Item={"p": unique(), "c": "c", "n": "1"})


def test_a_scan_shows_every_entry_once(resource: Any) -> None:
    definitions = [attribute("p", "S"), attribute("c", "S"), attribute("n", "N")]
    indexes = [local_index("all", "p", "n")]
    with made_with_indexes(resource, ["p", "c"], definitions, LocalSecondaryIndexes=indexes) as made:
        items = [item for p in range(7) for item in put(made, f"p{p}", 4)]
        made.put_item(Item={"p": "p0", "c": "no entry"})
        found = items_of(made.scan, IndexName="all", ConsistentRead=True, Limit=3)
        assert sorted(found, key=lambda item: (item["p"], item["n"])) == items


def test_the_description_names_the_indexes(table: Any) -> None:
    description = table.meta.client.describe_table(TableName=table.name)["Table"]
    by_name = {index["IndexName"]: index for index in description["LocalSecondaryIndexes"]}
    assert by_name.keys() == {"all", "keys", "included"}
    included = by_name["included"]
    assert included["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a"]}
    assert included["IndexArn"] == f"{description['TableArn']}/index/included"
    assert included["KeySchema"] == [
        {"AttributeName": "p", "KeyType": "HASH"},
        {"AttributeName": "n", "KeyType": "RANGE"},
    ]
    assert included.keys() == {"IndexName", "KeySchema", "Projection", "IndexSizeBytes", "ItemCount", "IndexArn"}
    assert [each["AttributeName"] for each in description["AttributeDefinitions"]] == ["c", "n", "p", "s"]


def test_a_batch_that_names_its_table_by_arn_is_answered_by_arn(table: Any) -> None:
    arn, request = table.table_arn, [{"DeleteRequest": {"Key": {"p": unique(), "c": "c"}}}]
    batch = {"RequestItems": {arn: request}, "ReturnItemCollectionMetrics": "SIZE"}
    assert list(table.meta.client.batch_write_item(**batch)["ItemCollectionMetrics"]) == [arn]
