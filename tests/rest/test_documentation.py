"""The OpenAPI document says what the service does: every example in it works as it stands."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

_methods = ("post", "put", "patch", "get", "delete")
_needs_a_neighbour = "removeReplica"  # refused until the neighbour has made the replica that the examples add


@pytest.fixture(scope="module")
def paths(http: httpx.Client) -> Any:
    return http.get("/openapi.json").json()["paths"]


def test_every_resource_is_documented(paths: Any) -> None:
    item = "/v1/tables/{table}/items/{key}"
    assert {
        "/v1/tables": {"get", "post"},
        "/v1/tables/{table}": {"get", "delete"},
        item: {"get", "put", "patch", "delete"},
        f"{item}/{{sort_key}}": {"get", "put", "patch", "delete"},
        "/v1/tables/{table}/query": {"post"},
        "/v1/tables/{table}/scan": {"post"},
        "/v1/tables/{table}/replicas/{region}": {"get", "put", "delete"},
        "/v1/replication": {"get"},
    }.items() <= {path: set(methods) for path, methods in paths.items()}.items()


def test_every_example_works(http: httpx.Client, paths: Any) -> None:
    """In the order of a table's life; the tables that the examples name are made by them or beforehand."""
    http.post("/v1/tables", json={"name": "customers", "partition_key": {"name": "customer", "type": "string"}})
    for method, path, operation in sorted(_examples(paths), key=_life):
        answer = http.request(method, path, json=_body(operation))
        expected = {int(status) for status in operation["responses"] if status.isdigit()}
        assert answer.status_code in expected, (method, path, answer.text)
        content_types = operation["responses"][str(answer.status_code)].get("content", {"": None})
        assert answer.headers.get("Content-Type", "").partition(";")[0] in content_types, (method, path)


def _examples(paths: Any) -> Iterator[tuple[str, str, Any]]:
    for path, by_method in paths.items():
        for method, operation in by_method.items():
            if operation["operationId"] != _needs_a_neighbour:
                yield method, _with_examples(path, operation), operation


def _life(example: tuple[str, str, Any]) -> tuple[bool, int, int]:
    """Tables before what is in them, deletions last, and of tables last of all."""
    method, path, _ = example
    depth = path.count("/")
    return method == "delete", -depth if method == "delete" else depth, _methods.index(method)


def _with_examples(path: str, operation: Any) -> str:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(parameter["schema"]["examples"][0], safe=""))
    return path


def _body(operation: Any) -> Any:
    return operation["requestBody"]["content"]["application/json"]["example"] if "requestBody" in operation else None
