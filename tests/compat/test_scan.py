"""Scan: everything once, in pages and in segments."""

from collections.abc import Iterator
from typing import Any

import pytest
from boto3.dynamodb.conditions import Attr

from tests.compat.tables import attribute, invalid, items_of, made_table, pages

count = 60


@pytest.fixture(scope="module", name="filled")
def table_with_items(resource: Any) -> Iterator[Any]:
    """Keys `p` and `c`; sixty items in twenty collections."""
    with made_table(resource, attribute("p", "S"), attribute("c", "S")) as made:
        with made.batch_writer() as batch:
            for number in range(count):
                batch.put_item(Item={"p": f"p{number % 20}", "c": f"c{number}", "n": number})
        yield made


def numbers_of(items: list[dict[str, Any]]) -> list[int]:
    return sorted(int(item["n"]) for item in items)


def test_a_scan_finds_everything(filled: Any) -> None:
    page = filled.scan()
    assert numbers_of(page["Items"]) == list(range(count))
    assert (page["Count"], page["ScannedCount"]) == (count, count)
    assert "LastEvaluatedKey" not in page


@pytest.mark.parametrize("limit", [1, 7, 60, 1000])
def test_pages_put_together_are_the_whole(filled: Any, limit: int) -> None:
    whole = filled.scan()["Items"]
    assert items_of(filled.scan, Limit=limit) == whole
    assert items_of(filled.scan, Limit=limit, ConsistentRead=True) == whole


@pytest.mark.parametrize("total", [1, 2, 3, 16, 1_000_000])
def test_segments_share_the_items_without_overlap(filled: Any, total: int) -> None:
    segments = range(min(total, 16))
    found = [items_of(filled.scan, Segment=segment, TotalSegments=total, Limit=5) for segment in segments]
    numbers = numbers_of([item for items in found for item in items])
    assert len(set(numbers)) == len(numbers)
    if total <= 16:
        assert numbers == list(range(count))


def test_items_of_one_partition_key_lie_together_in_order(filled: Any) -> None:
    keys = [(item["p"], item["c"]) for item in filled.scan()["Items"]]
    collections = [p for at, (p, _) in enumerate(keys) if at == 0 or keys[at - 1][0] != p]
    assert len(collections) == 20
    assert all(keys[at - 1] < key for at, key in enumerate(keys) if at and keys[at - 1][0] == key[0])


def test_a_filter_counts_what_it_looked_at(filled: Any) -> None:
    page = filled.scan(FilterExpression=Attr("n").lt(5))
    assert numbers_of(page["Items"]) == [0, 1, 2, 3, 4]
    assert (page["Count"], page["ScannedCount"]) == (5, count)
    counted = filled.scan(FilterExpression=Attr("n").lt(5), Select="COUNT")
    assert counted["Count"] == 5
    assert "Items" not in counted


def test_a_filter_may_look_at_the_key(filled: Any) -> None:
    assert len(filled.scan(FilterExpression=Attr("p").eq("p3"))["Items"]) == 3


def test_a_page_ends_with_the_item_that_passes_a_megabyte(resource: Any) -> None:
    with made_table(resource, attribute("p", "S")) as table:
        for number in range(9):
            table.put_item(Item={"p": f"{number}", "text": "x" * 300_000})
        found = list(pages(table.scan))
        assert [page["Count"] for page in found] == [4, 4, 1]
        assert len({item["p"] for page in found for item in page["Items"]}) == 9


def test_a_full_page_of_small_items_costs_a_little_more_than_a_megabyte(resource: Any) -> None:
    with made_table(resource, attribute("p", "S")) as table:
        with table.batch_writer() as batch:
            for number in range(270):
                batch.put_item(Item={"p": f"{number:03}", "text": "x" * (4096 - 8)})
        found = list(pages(table.scan, ReturnConsumedCapacity="TOTAL"))
        assert [page["Count"] for page in found] == [257, 13]
        assert [page["ConsumedCapacity"]["CapacityUnits"] for page in found] == [128.5, 6.5]


def test_an_item_that_passes_a_megabyte_ends_its_page_even_as_the_last_one(resource: Any) -> None:
    with made_table(resource, attribute("p", "S")) as table:
        for number in range(3):
            table.put_item(Item={"p": f"{number}", "text": "x" * 380_000})
        full, empty = pages(table.scan)
        assert (full["Count"], full["LastEvaluatedKey"]) == (3, {"p": full["Items"][-1]["p"]})
        assert (empty["Count"], empty["ScannedCount"]) == (0, 0)


def test_an_empty_table_is_an_empty_page(resource: Any) -> None:
    with made_table(resource, attribute("p", "S")) as table:
        page = table.scan()
        assert (page["Items"], page["Count"], page["ScannedCount"]) == ([], 0, 0)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"Segment": 1}, "TotalSegments"),
        ({"TotalSegments": 2}, "Segment"),
        ({"Segment": 2, "TotalSegments": 2}, "must be less than parameter TotalSegments"),
        ({"Segment": 0, "TotalSegments": 1_000_001}, "1000000"),
        ({"Segment": -1, "TotalSegments": 2}, "greater than or equal to 0"),
        ({"Limit": 0}, "greater than or equal to 1"),
        ({"ExclusiveStartKey": {"p": "x", "c": 1}}, "is invalid: The provided key element does not match the schema"),
        ({"Select": "SPECIFIC_ATTRIBUTES"}, "SPECIFIC_ATTRIBUTES"),
    ],
)
def test_scans_that_are_refused(filled: Any, request_: dict[str, Any], message: str) -> None:
    with invalid(message):
        filled.scan(**request_)


@pytest.mark.parametrize("key", [{}, {"p": "x"}, {"p": "x", "d": "x"}])
def test_a_start_key_of_other_attributes_is_refused_in_few_words(filled: Any, key: dict[str, str]) -> None:
    with invalid() as refusal:
        filled.scan(ExclusiveStartKey=key)
    assert refusal.value.response["Error"]["Message"] == "The provided starting key is invalid"


def test_a_start_key_of_another_segment_is_refused(filled: Any) -> None:
    keys = [
        [{"p": item["p"], "c": item["c"]} for item in filled.scan(Segment=segment, TotalSegments=2)["Items"]]
        for segment in range(2)
    ]
    with invalid("The provided starting key is invalid"):
        filled.scan(Segment=0, TotalSegments=2, ExclusiveStartKey=keys[1][0])
