"""One lab for all tests that break a lab; each finds it whole."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from services.lab.client import TableClient
from services.lab.processes import stop_orphans
from services.lab.tables import ensure_replicated_table
from tests.faults import lags
from tests.faults.lab import Lab, free_base_port, regions, started_lab


@pytest.fixture(scope="session")
def session_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with started_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def running_lab(session_lab: Lab) -> Iterator[Lab]:
    """Three regions on the embedded feed; a test may cut, kill and load as it likes."""
    session_lab.make_whole()
    yield session_lab
    session_lab.make_whole()


@pytest.fixture
def own_lab(tmp_path: Path) -> Iterator[Lab]:
    """A lab that isn't started yet, for tests of starting and stopping."""
    lab = Lab(tmp_path / "lab", base_port=free_base_port())
    yield lab
    if lab.folder.record.exists():
        record = lab.record
        lab.run("down")
        stop_orphans([*record.identities, *([record.supervisor] if record.supervisor else [])])


@pytest.fixture
async def table(running_lab: Lab, clients: dict[str, TableClient]) -> str:
    """A table of this test's own, with a replica in every region and links that the lab's status shows."""
    name = f"t-{uuid4().hex}"
    await ensure_replicated_table(list(clients.values()), name)
    assert await lags.vanish(running_lab, name, count=6, patience_s=10) == ""
    return name


@pytest.fixture
async def clients(running_lab: Lab) -> AsyncIterator[dict[str, TableClient]]:
    """A client of each region."""
    clients = {region: running_lab.client(region) for region in regions}
    yield clients
    for client in clients.values():
        with suppress(OSError):
            await client.close()
