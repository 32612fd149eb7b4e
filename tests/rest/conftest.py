"""One region for all tests, and a fresh table for each that wants one."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from tests.rest.region_process import running_region

MakeTable = Callable[..., str]


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_region(tmp_path_factory.mktemp("region")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def http(endpoint: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=endpoint) as client:
        yield client


@pytest.fixture(scope="session")
def make_table(http: httpx.Client) -> MakeTable:
    """Makes a table with a partition key `id` and, if wanted, a sort key `at`; its path."""
    numbers = count()

    def make(id_type: str = "string", at_type: str | None = None) -> str:
        name = f"table-{next(numbers)}"
        body: dict[str, Any] = {"name": name, "partition_key": {"name": "id", "type": id_type}}
        if at_type is not None:
            body["sort_key"] = {"name": "at", "type": at_type}
        assert http.post("/v1/tables", json=body).status_code == 201
        return f"/v1/tables/{name}"

    return make


@pytest.fixture
def table(make_table: MakeTable) -> str:
    return make_table()
