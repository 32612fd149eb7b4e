"""One stack for all tests of compose, on free ports, under a name of its own; nothing of it is left behind."""

import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest

from services.lab.ports import loopback
from tests.compose.stack import ComposedLab, compose, down, root, up
from tests.faults.tables import replicated_table

_ports = ("US_EAST_1_PORT", "EU_WEST_1_PORT", "AP_NORTHEAST_1_PORT", "PROMETHEUS_PORT", "GRAFANA_PORT")
_port_ranges = ("US_EAST_1_REPLICATOR_PORTS", "EU_WEST_1_REPLICATOR_PORTS", "AP_NORTHEAST_1_REPLICATOR_PORTS")
_range = 9


@pytest.fixture(scope="session")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Compose's variables, for this process and all that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("COMPOSE_PROJECT_NAME", "meridian-test")
        first = _free_ports(len(_ports) + _range * len(_port_ranges))
        for number, name in enumerate(_ports):
            patch.setenv(name, str(first + number))
        for number, name in enumerate(_port_ranges):
            start = first + len(_ports) + _range * number
            patch.setenv(name, f"{start}-{start + _range - 1}")
        yield patch


@pytest.fixture(scope="session")
def images(environment: pytest.MonkeyPatch) -> None:
    """What compose.yaml builds, as the code is now."""
    compose("build", "--quiet")


@pytest.fixture(scope="session")
def started_s(images: None) -> Iterator[float]:
    """How long the stack took to be healthy."""
    down()
    try:
        yield up()
    finally:
        down()


@pytest.fixture(scope="session")
def lab(started_s: float, tmp_path_factory: pytest.TempPathFactory) -> ComposedLab:
    return ComposedLab(tmp_path_factory.mktemp("compose"))


@pytest.fixture
async def table(lab: ComposedLab) -> AsyncIterator[str]:
    """A table of this test's own, with a replica in every region and links that the lab's status shows."""
    async with replicated_table(lab, patience_s=20) as name:
        yield name


def _free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody uses."""
    while True:
        first = random.randrange(10_000, 30_000)
        with suppress(OSError):
            for port in range(first, first + count):
                socket.create_server((loopback, port)).close()
            return first
