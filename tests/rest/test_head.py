"""HEAD is answered as GET is, less the body (RFC 9110, 9.3.2)."""

import httpx
import pytest

_told_alike = ("Content-Type", "Content-Length", "Content-Security-Policy", "ETag")


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/livez",
            "/readyz",
            "/metrics",
            "/openapi.json",
            "/docs",
            "/console",
            "/console/main.js",
            "/console/topology",
        ),
        *("/v1/tables", "/v1/replication", "{table}", "{table}/items/a", "{table}/items/nowhere", "/nowhere"),
    ],
)
def test_head_tells_what_get_would(http: httpx.Client, table: str, path: str) -> None:
    """Link checkers, caches and load balancers ask with it."""
    http.put(f"{table}/items/a", json={"n": 1})
    path = path.format(table=table)
    got, head = http.get(path), http.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    compared = [name for name in _told_alike if (path, name) != ("/metrics", "Content-Length")]  # they count its bytes
    assert {name: head.headers.get(name) for name in compared} == {name: got.headers.get(name) for name in compared}
    assert int(head.headers["Content-Length"]) > 0


def test_head_keeps_to_preconditions(http: httpx.Client, table: str) -> None:
    version = http.put(f"{table}/items/a", json={}).headers["ETag"]
    assert http.head(f"{table}/items/a", headers={"If-None-Match": version}).status_code == 304


def test_head_where_get_is_not_served_is_a_wrong_method(http: httpx.Client, table: str) -> None:
    refused = http.head(f"{table}/query")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


def test_head_of_the_dynamodb_endpoint_is_an_unknown_operation(http: httpx.Client) -> None:
    """As in DynamoDB, though GET is told of its health there."""
    assert (http.get("/").status_code, http.head("/").status_code) == (200, 404)


def test_the_connection_goes_on_after_a_head(endpoint: str) -> None:
    """A body sent by mistake would be taken for the next answer."""
    with httpx.Client(base_url=endpoint, limits=httpx.Limits(max_connections=1)) as http:
        assert http.head("/openapi.json").status_code == 200
        assert http.get("/livez").json() == {"alive": True}
