"""Bad input gets a client's error as problem details, whatever it is; never a 500, never a lost item."""

import socket

import httpx
import pytest

_json = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1E+1000000}',
        b'{"a": 1E-1000000}',
        b'{"a": ' + b"9" * 39 + b"}",
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\xff"}',
        rb'{"a": "\ud800"}',
        rb'{"\udc00": 1}',
        b'{"": 1}',
        b'{"a": {"$binary": "A"}}',
        b'{"a": {"$string_set": []}}',
        b'{"a": {"$string_set": ["a", "a"]}}',
        b'{"a": ' + b"[" * 33 + b"]" * 33 + b"}",
        b'{"a": ' + b"[" * 1_000_000,
        b'{"a": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
        b'{"a": "' + b"x" * (400 * 1024) + b'"}',
    ],
    ids=lambda body: body[:24].decode("ascii", "replace"),
)
def test_a_bad_item_is_refused(http: httpx.Client, table: str, body: bytes) -> None:
    refused = http.put(f"{table}/items/a", content=body, headers=_json)
    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert set(refused.json()) == {"type", "title", "status", "detail", "reason"}
    assert http.get(f"{table}/items/a").status_code == 404


def test_the_largest_item_is_taken_and_one_byte_more_is_not(http: httpx.Client, table: str) -> None:
    largest = "x" * (400 * 1024 - len("id" + "a" + "text"))
    assert http.put(f"{table}/items/a", json={"text": largest + "x"}).status_code == 400
    assert http.put(f"{table}/items/a", json={"text": largest}).status_code == 201


def test_a_body_over_16_mb_is_refused(http: httpx.Client, table: str) -> None:
    body = b'{"a": "' + b"x" * (16 * 1024 * 1024) + b'"}'
    assert http.put(f"{table}/items/a", content=body, headers=_json).status_code == 413


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_that_another_web_page_could_send_unasked_is_refused(
    http: httpx.Client, table: str, media_type: str | None
) -> None:
    """Browsers ask before they send JSON across origins, and the answer is no."""
    headers = {} if media_type is None else {"Content-Type": media_type}
    assert http.post(f"{table}/scan", content=b"{}", headers=headers).status_code == 415
    assert http.post("/v1/tables", content=b"{}", headers=headers).status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "ok-name"},
        {"name": "x", "partition_key": {"name": "id", "type": "string"}},
        {"name": "no/name", "partition_key": {"name": "id", "type": "string"}},
        {"name": "ok-name\n", "partition_key": {"name": "id", "type": "string"}},
        {"name": "ok-name", "partition_key": {"name": "id", "type": "S"}},
        {"name": "ok-name", "partition_key": {"name": "", "type": "string"}},
        {"name": "ok-name", "partition_key": "id"},
        {"name": "ok-name", "partition_key": {"name": "id", "type": "string"}, "more": 1},
        {
            "name": "ok-name",
            "partition_key": {"name": "id", "type": "string"},
            "sort_key": {"name": "id", "type": "string"},
        },
    ],
)
def test_a_bad_table_is_refused(http: httpx.Client, body: object) -> None:
    refused = http.post("/v1/tables", json=body)
    assert (refused.status_code, refused.json()["reason"]) == (400, "ValidationException")
    assert http.get("/v1/tables/ok-name").status_code == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=1e3"])
def test_a_bad_page_of_tables_is_refused(http: httpx.Client, query: str) -> None:
    assert http.get(f"/v1/tables?{query}").status_code == 400


@pytest.mark.parametrize(
    "header", [{"If-Match": "1-1"}, {"If-Match": '"a", "b"'}, {"If-None-Match": '"1-1"'}, {"If-Match": '"' + "9" * 500}]
)
def test_a_bad_precondition_is_refused(http: httpx.Client, table: str, header: dict[str, str]) -> None:
    assert http.put(f"{table}/items/a", json={}, headers=header).status_code == 400


def test_a_client_that_goes_within_a_body_is_no_fault_of_the_region(http: httpx.Client, table: str) -> None:
    """Its process may log no traceback, which is looked at when all tests are done."""
    head = f"PUT {table}/items/a HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    with socket.create_connection((http.base_url.host, http.base_url.port or 80)) as connection:
        connection.sendall(head.encode() + b"{")
    assert http.get(f"{table}/items/a").status_code == 404


def test_a_wrong_method_is_told_the_right_ones(http: httpx.Client, table: str) -> None:
    for path, allowed in (
        ("/v1/tables", "GET, HEAD, POST"),
        (table, "DELETE, GET, HEAD"),
        (f"{table}/items/a", "DELETE, GET, HEAD, PATCH, PUT"),
        (f"{table}/query", "POST"),
    ):
        refused = http.request("TRACE", path)
        assert refused.status_code == 405
        assert refused.headers["Allow"] == allowed
        assert refused.json()["detail"] == f"TRACE does nothing here; use one of {allowed}"
