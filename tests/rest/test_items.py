"""Items over REST: read, written, changed and deleted, under conditions or without."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.rest.conftest import MakeTable


def test_an_item_is_made_then_replaced(http: httpx.Client, table: str) -> None:
    made = http.put(f"{table}/items/ada", json={"a": 1, "b": 2})
    assert (made.status_code, made.json()) == (201, {"id": "ada", "a": 1, "b": 2})
    replaced = http.put(f"{table}/items/ada", json={"a": 3})
    assert (replaced.status_code, replaced.json()) == (200, {"id": "ada", "a": 3})
    assert http.get(f"{table}/items/ada").json() == {"id": "ada", "a": 3}


def test_a_write_answers_the_version_that_a_read_finds(http: httpx.Client, table: str) -> None:
    made = http.put(f"{table}/items/ada", json={})
    read = http.get(f"{table}/items/ada")
    assert made.headers["ETag"] == read.headers["ETag"]
    assert made.headers["Content-Location"] == f"{table}/items/ada"


def test_numbers_keep_all_their_digits(http: httpx.Client, table: str) -> None:
    digits = "-12345678901234567890.123456789012345678"
    http.put(f"{table}/items/n", content=f'{{"n":{digits}}}', headers={"Content-Type": "application/json"})
    assert http.get(f"{table}/items/n").text == f'{{"id":"n","n":{digits}}}'


def test_an_absent_item_is_not_found(http: httpx.Client, table: str) -> None:
    absent = http.get(f"{table}/items/nobody")
    assert absent.status_code == 404
    assert absent.headers["Content-Type"] == "application/problem+json"
    assert absent.json()["reason"] == "no_item"


@pytest.mark.parametrize("key", ["a/b", "/", "%2F", "a b", "é\U0001f600", "?x=1#y", "..;", "a+b", "query", "items/x"])
def test_every_string_can_be_a_key(http: httpx.Client, table: str, key: str) -> None:
    path = f"{table}/items/{quote(key, safe='')}"
    assert http.put(path, json={"a": 1}).json()["id"] == key
    assert http.get(path).json() == {"id": key, "a": 1}
    assert http.delete(path).status_code == 204


def test_sort_keys_may_contain_slashes_too(http: httpx.Client, make_table: MakeTable) -> None:
    table = make_table("string", "string")
    http.put(f"{table}/items/a%2Fb/c%2Fd", json={})
    assert http.get(f"{table}/items/a%2Fb/c%2Fd").json() == {"id": "a/b", "at": "c/d"}
    assert http.get(f"{table}/items/a/b/c/d").status_code == 404


def test_number_and_binary_keys(http: httpx.Client, make_table: MakeTable) -> None:
    table = make_table("number", "binary")
    assert http.put(f"{table}/items/1.50/AP8", json={}).json() == {"id": 1.5, "at": {"$binary": "AP8="}}
    assert http.get(f"{table}/items/1.5/AP8=").status_code == 200
    assert http.get(f"{table}/items/one/AP8").status_code == 400


def test_a_key_that_does_not_fit_the_table_is_refused(http: httpx.Client, table: str) -> None:
    assert http.get(f"{table}/items/a/b").status_code == 400
    assert http.get(f"{table}/items/{'k' * 2049}").status_code == 400
    assert http.get(f"{table}/items/a%FFb").status_code == 400


def test_a_body_may_repeat_the_key_but_not_contradict_it(http: httpx.Client, table: str) -> None:
    assert http.put(f"{table}/items/ada", json={"id": "ada"}).status_code == 201
    assert http.put(f"{table}/items/ada", json={"id": "bob"}).status_code == 400


def test_only_who_saw_the_last_version_may_replace_it(http: httpx.Client, table: str) -> None:
    """The lost update that If-Match is for."""
    path = f"{table}/items/ada"
    first = http.put(path, json={"n": 1}).headers["ETag"]
    second = http.put(path, json={"n": 2}, headers={"If-Match": first})
    assert second.status_code == 200
    late = http.put(path, json={"n": 3}, headers={"If-Match": first})
    assert (late.status_code, late.json()["reason"]) == (412, "ConditionalCheckFailedException")
    assert http.delete(path, headers={"If-Match": first}).status_code == 412
    assert http.delete(path, headers={"If-Match": second.headers["ETag"]}).status_code == 204


def test_one_of_two_makers_wins(http: httpx.Client, table: str) -> None:
    path, once = f"{table}/items/ada", {"If-None-Match": "*"}
    assert http.put(path, json={}, headers=once).status_code == 201
    assert http.put(path, json={}, headers=once).status_code == 412
    http.delete(path)
    assert http.put(path, json={}, headers=once).status_code == 201


def test_an_update_can_insist_on_an_item(http: httpx.Client, table: str) -> None:
    body = {"update": "SET n = :n", "values": {":n": 1}}
    assert http.patch(f"{table}/items/ada", json=body, headers={"If-Match": "*"}).status_code == 412
    assert http.patch(f"{table}/items/ada", json={"update": "REMOVE price"}).status_code == 404
    assert http.patch(f"{table}/items/ada", json=body).status_code == 201
    assert http.patch(f"{table}/items/ada", json=body, headers={"If-Match": "*"}).status_code == 200


def test_a_reader_who_knows_the_version_is_told_so(http: httpx.Client, table: str) -> None:
    path = f"{table}/items/ada"
    tag = http.put(path, json={}).headers["ETag"]
    known = http.get(path, headers={"If-None-Match": tag})
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", tag)
    http.put(path, json={"new": True})
    assert http.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_an_update_changes_some_attributes_and_shows_the_item(http: httpx.Client, table: str) -> None:
    path = f"{table}/items/ada"
    http.put(path, json={"n": 1, "draft": True, "tags": {"$string_set": ["a", "b"]}, "list": [{"x": 1}]})
    updated = http.patch(
        path,
        json={
            "update": "SET n = n + :one, #list[0].x = :x REMOVE draft DELETE tags :a",
            "condition": "n = :one",
            "names": {"#list": "list"},
            "values": {":one": 1, ":a": {"$string_set": ["a"]}, ":x": None},
        },
    )
    assert updated.status_code == 200
    assert updated.json() == {"id": "ada", "n": 2, "tags": {"$string_set": ["b"]}, "list": [{"x": None}]}
    assert updated.headers["ETag"] == http.get(path).headers["ETag"]


def test_an_update_whose_condition_fails_changes_nothing(http: httpx.Client, table: str) -> None:
    path = f"{table}/items/ada"
    http.put(path, json={"n": 1})
    body = {"update": "SET n = :n", "condition": "n > :n", "values": {":n": 5}}
    assert http.patch(path, json=body).status_code == 412
    assert http.get(path).json() == {"id": "ada", "n": 1}


@pytest.mark.parametrize(
    "body",
    [
        {"update": "SET n = :missing"},
        {"update": "SET"},
        {"update": "SET n = :n", "values": {":n": {"$number_set": []}}},
        {"update": "SET n = :n", "values": {":n": 1, ":unused": 1}},
        {"update": "SET id = :n", "values": {":n": "x"}},
        {"update": "SET n = :n", "values": {":n": 1}, "names": {"n": "n"}},
        {"update": 5},
        {"set": {"n": 1}},
    ],
)
def test_an_update_that_means_nothing_is_refused(http: httpx.Client, table: str, body: dict[str, Any]) -> None:
    refused = http.patch(f"{table}/items/ada", json=body)
    assert refused.status_code == 400
    assert refused.json()["detail"]


def test_deleting_what_is_not_there_is_no_error(http: httpx.Client, table: str) -> None:
    assert http.delete(f"{table}/items/nobody").status_code == 204


def test_items_of_no_table_are_not_found(http: httpx.Client) -> None:
    missing = http.get("/v1/tables/nothing/items/a")
    assert (missing.status_code, missing.json()["reason"]) == (404, "ResourceNotFoundException")
    assert http.put("/v1/tables/nothing/items/a", json={}).status_code == 404
