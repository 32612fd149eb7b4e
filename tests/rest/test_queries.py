"""Query and scan over REST: expressions in, pages out."""

from typing import Any

import httpx
import pytest

from tests.rest.conftest import MakeTable


@pytest.fixture(scope="module")
def invoices(http: httpx.Client, make_table: MakeTable) -> str:
    """Ada has ten, each with a price of ten times its number, every other one paid."""
    table = make_table("string", "number")
    for number in range(10):
        item = {"price": number * 10, "paid": number % 2 == 0, "note": {"$binary": "AAE="}}
        assert http.put(f"{table}/items/ada/{number}", json=item).status_code == 201
    http.put(f"{table}/items/bob/1", json={"price": 1})
    return table


def _numbers(page: dict[str, Any]) -> list[int]:
    return [item["at"] for item in page["items"]]


def test_a_query_reads_a_range_in_order(http: httpx.Client, invoices: str) -> None:
    body = {"key_condition": "id = :id AND #at BETWEEN :a AND :b", "names": {"#at": "at"}}
    page = http.post(f"{invoices}/query", json=body | {"values": {":id": "ada", ":a": 3, ":b": 5}}).json()
    assert _numbers(page) == [3, 4, 5]
    assert (page["count"], page["scanned_count"], page["next"]) == (3, 3, None)


def test_a_query_reads_backwards(http: httpx.Client, invoices: str) -> None:
    body = {"key_condition": "id = :id", "values": {":id": "ada"}, "forward": False, "limit": 2}
    page = http.post(f"{invoices}/query", json=body).json()
    assert (_numbers(page), page["next"]) == ([9, 8], {"id": "ada", "at": 8})


def test_pages_concatenate_to_the_whole(http: httpx.Client, invoices: str) -> None:
    body: dict[str, Any] = {"key_condition": "id = :id", "values": {":id": "ada"}, "limit": 3}
    found, start = [], None
    while True:
        page = http.post(f"{invoices}/query", json=body | ({} if start is None else {"start_key": start})).json()
        found += _numbers(page)
        start = page["next"]
        if start is None:
            break
    assert found == list(range(10))


def test_a_filter_and_a_projection(http: httpx.Client, invoices: str) -> None:
    body = {
        "key_condition": "id = :id",
        "filter": "paid = :yes AND price > :least",
        "projection": "price, note",
        "values": {":id": "ada", ":yes": True, ":least": 30},
    }
    page = http.post(f"{invoices}/query", json=body).json()
    assert page["items"] == [{"price": price, "note": {"$binary": "AAE="}} for price in (40, 60, 80)]
    assert (page["count"], page["scanned_count"]) == (3, 10)


def test_only_the_count(http: httpx.Client, invoices: str) -> None:
    page = http.post(f"{invoices}/scan", json={"count_only": True}).json()
    assert page == {"count": 11, "scanned_count": 11, "next": None}


def test_a_scan_in_segments_finds_every_item_once(http: httpx.Client, invoices: str) -> None:
    bodies = ({"segment": segment, "total_segments": 3} for segment in range(3))
    pages = [http.post(f"{invoices}/scan", json=body).json() for body in bodies]
    assert sum(page["count"] for page in pages) == 11


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("query", {}),
        ("query", {"key_condition": "price = :p", "values": {":p": 1}}),
        ("query", {"key_condition": "id = :id", "values": {":id": 1}}),
        ("query", {"key_condition": "id = :id"}),
        ("query", {"key_condition": "id = :id", "values": {":id": "ada"}, "limit": 0}),
        ("query", {"key_condition": "id = :id", "values": {":id": "ada"}, "start_key": {"id": "ada"}}),
        ("query", {"key_condition": "id = :id", "values": {":id": "ada"}, "forward": "no"}),
        ("scan", {"limit": "5"}),
        ("scan", {"limit": 1.5}),
        ("scan", {"limit": 10**30}),
        ("scan", {"filter": "a ="}),
        ("scan", {"filter": "a = :a", "values": {":a": {"$number_set": ["1"]}}}),
        ("scan", {"segment": 3, "total_segments": 3}),
        ("scan", {"index": "other"}),
    ],
)
def test_a_question_that_means_nothing_is_refused(
    http: httpx.Client, invoices: str, route: str, body: dict[str, Any]
) -> None:
    refused = http.post(f"{invoices}/{route}", json=body)
    assert refused.status_code == 400
    assert refused.json()["detail"]
