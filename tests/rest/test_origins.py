"""What web pages may ask of a region: pages of the topology's regions a little, all others nothing."""

import httpx
import pytest

_neighbour_routes = ("/readyz", "/v1/replication", "/v1/tables/t/items/a", "/v1/tables/t/items/a/b%2Fc")
_closed_routes = ("/v1/tables", "/v1/tables/t", "/v1/tables/t/scan", "/v1/tables/t/replicas/eu-west-1", "/metrics")


@pytest.fixture(scope="module")
def neighbour(http: httpx.Client) -> str:
    regions = http.get("/console/topology").json()["regions"]
    return str(next(region["endpoint"] for region in regions if region["name"] == "eu-west-1"))


@pytest.mark.parametrize("path", _neighbour_routes)
def test_a_neighbours_page_may_read_what_the_console_shows(http: httpx.Client, neighbour: str, path: str) -> None:
    answer = http.get(path, headers={"Origin": neighbour})
    assert answer.headers["Access-Control-Allow-Origin"] == neighbour
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


def test_a_neighbours_page_may_write_items(http: httpx.Client, neighbour: str) -> None:
    answer = _asked_before(http, "/v1/tables/t/items/a", origin=neighbour)
    assert answer.status_code == 200
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert "If-Match" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("path", _closed_routes)
def test_everything_else_is_closed_to_it(http: httpx.Client, neighbour: str, path: str) -> None:
    assert "Access-Control-Allow-Origin" not in http.get(path, headers={"Origin": neighbour}).headers
    assert _asked_before(http, path, origin=neighbour).status_code == 405


@pytest.mark.parametrize("path", [*_neighbour_routes, *_closed_routes])
def test_other_pages_may_do_nothing(http: httpx.Client, path: str) -> None:
    for origin in ("http://evil.example", "null", "http://127.0.0.1"):
        assert "Access-Control-Allow-Origin" not in http.get(path, headers={"Origin": origin}).headers
        assert _asked_before(http, path, origin=origin).status_code >= 400


def test_pages_load_nothing_from_elsewhere(http: httpx.Client, neighbour: str) -> None:
    for path in ("/console", "/docs", "/console/main.js", "/console/console.css"):
        answer = http.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert neighbour in policy
        assert "https://" not in answer.text


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fsettings.py", "%2e%2e%2fsettings.py", ".hidden"])
def test_only_the_consoles_files_are_served(http: httpx.Client, name: str) -> None:
    assert http.get(f"/console/{name}").status_code == 404


def _asked_before(http: httpx.Client, path: str, *, origin: str) -> httpx.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-match"}
    return http.options(path, headers=headers)
