"""Secondary indexes over REST: in a table's document, and in its queries and scans."""

from typing import Any

import httpx
import pytest

_by_price = {
    "name": "by-price",
    "scope": "global",
    "partition_key": [{"name": "status", "type": "string"}],
    "sort_key": [{"name": "price", "type": "number"}],
    "projection": "INCLUDE",
    "included": ["note"],
}
_by_date = {
    "name": "by-date",
    "scope": "local",
    "partition_key": [{"name": "id", "type": "string"}],
    "sort_key": [{"name": "date", "type": "string"}],
}


def _body(name: str, *indexes: dict[str, Any]) -> dict[str, Any]:
    keys = {"partition_key": {"name": "id", "type": "string"}, "sort_key": {"name": "at", "type": "number"}}
    return {"name": name, **keys, "indexes": list(indexes)}


@pytest.fixture(scope="module")
def orders(http: httpx.Client) -> str:
    """Ten orders of ada, each with a price of ten times its number, every other one open."""
    assert http.post("/v1/tables", json=_body("indexed", _by_price, _by_date)).status_code == 201
    for number in range(10):
        item = {"price": number * 10, "status": "open" if number % 2 else "paid", "date": f"d{9 - number}", "note": 1}
        assert http.put(f"/v1/tables/indexed/items/ada/{number}", json=item).status_code == 201
    return "/v1/tables/indexed"


def test_the_document_shows_the_indexes(http: httpx.Client, orders: str) -> None:
    by_date, by_price = http.get(orders).json()["indexes"]
    assert by_price | _by_price == by_price
    assert (by_price["status"], by_price["item_count"]) == ("ACTIVE", 10)
    assert by_date | _by_date == by_date
    assert (by_date["projection"], by_date["included"]) == ("ALL", [])


def test_a_query_of_an_index_comes_in_its_order_and_pages(http: httpx.Client, orders: str) -> None:
    body: dict[str, Any] = {
        "index": "by-price",
        "key_condition": "#status = :open AND price >= :least",
        "names": {"#status": "status"},
        "values": {":open": "open", ":least": 30},
        "forward": False,
        "limit": 3,
    }
    first = http.post(f"{orders}/query", json=body).json()
    assert [item["price"] for item in first["items"]] == [90, 70, 50]
    assert first["items"][0].keys() == {"id", "at", "status", "price", "note"}
    assert first["next"] == {"id": "ada", "at": 5, "status": "open", "price": 50}
    rest = http.post(f"{orders}/query", json=body | {"start_key": first["next"]}).json()
    assert [item["price"] for item in rest["items"]] == [30]


def test_a_scan_of_an_index_shows_every_entry(http: httpx.Client, orders: str) -> None:
    page = http.post(f"{orders}/scan", json={"index": "by-date"}).json()
    assert [item["date"] for item in page["items"]] == [f"d{number}" for number in range(10)]


@pytest.mark.parametrize(
    "indexes",
    [
        [_by_price, _by_price],
        [_by_date | {"partition_key": [{"name": "other", "type": "string"}]}],
        [_by_price | {"included": []}],
        [_by_price | {"scope": "regional"}],
        [_by_price, _by_date | {"sort_key": [{"name": "price", "type": "string"}]}],
    ],
    ids=["name taken", "another partition key", "nothing included", "unknown scope", "two types"],
)
def test_wrong_indexes_are_refused(http: httpx.Client, indexes: list[dict[str, Any]]) -> None:
    refused = http.post("/v1/tables", json=_body("refused", *indexes))
    assert refused.status_code == 400
    assert refused.json()["detail"]
