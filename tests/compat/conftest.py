"""`--url` says which endpoint is judged; without it a region of this checkout is started for the run."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config

from tests.compat.tables import attribute, made_table

_patience = 200  # looks at the process, a twentieth of a second apart


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--url", help="DynamoDB endpoint that the compatibility suite judges")


@pytest.fixture(scope="session")
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = request.config.getoption("--url", default=None)
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("region")
    port = _free_port()
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "services.region", "--data", str(folder / "data"), "--port", str(port)]
        process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=log)
        try:
            _wait_until_it_answers(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
    assert b"Traceback" not in (folder / "log").read_bytes(), (folder / "log").read_text()


@pytest.fixture(scope="session")
def client(url: str) -> Any:
    return boto3.client("dynamodb", endpoint_url=url, config=_config, **_credentials)


@pytest.fixture(scope="session")
def streams_client(url: str) -> Any:
    return boto3.client("dynamodbstreams", endpoint_url=url, config=_config, **_credentials)


@pytest.fixture(scope="session")
def resource(url: str) -> Any:
    return boto3.resource("dynamodb", endpoint_url=url, config=_config, **_credentials)


@pytest.fixture(scope="session")
def table(resource: Any) -> Iterator[Any]:
    """Partition key `p`, a string."""
    with made_table(resource, attribute("p", "S")) as made:
        yield made


@pytest.fixture(scope="session")
def sorted_table(resource: Any) -> Iterator[Any]:
    """Partition key `p` and sort key `c`, strings."""
    with made_table(resource, attribute("p", "S"), attribute("c", "S")) as made:
        yield made


@pytest.fixture(scope="session")
def number_table(resource: Any) -> Iterator[Any]:
    """Partition key `p`, a string, and sort key `c`, a number."""
    with made_table(resource, attribute("p", "S"), attribute("c", "N")) as made:
        yield made


@pytest.fixture(scope="session")
def binary_table(resource: Any) -> Iterator[Any]:
    """Partition key `p` and sort key `c`, binaries."""
    with made_table(resource, attribute("p", "B"), attribute("c", "B")) as made:
        yield made


_credentials = {"region_name": "us-east-1", "aws_access_key_id": "any", "aws_secret_access_key": "any"}
_config = Config(retries={"total_max_attempts": 1}, max_pool_connections=32, parameter_validation=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(_patience):
        with suppress(URLError, ConnectionError):
            urlopen(url).close()
            return
        with suppress(subprocess.TimeoutExpired):
            raise RuntimeError(f"the region ended with {process.wait(0.05)}")
    raise RuntimeError("the region does not answer")
