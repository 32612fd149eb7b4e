"""Workers that share a region's links: one joins under load, and dies without a word."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.lab.ports import free_ports
from services.lab.processes import ChildProcess
from tests.faults.judgement import assert_recovers
from tests.faults.lab import Lab, eventually, regions
from tests.faults.oracle import Oracle

us, eu, ap = regions
share_patience_s = 10.0


@pytest.fixture
def second_worker(running_lab: Lab, tmp_path: Path) -> Iterator[ChildProcess]:
    """A second replicator of a region, beside that of the lab."""
    record = running_lab.record
    (port,) = free_ports(1)
    flags = {
        "region": eu,
        "worker": "second",
        "port": str(port),
        "endpoint": record.topology.named(eu).endpoint,
        "topology": str(record.topology),
        "token-file": str(running_lab.folder.token),
    }
    words = [word for name, value in flags.items() for word in (f"--{name}", value)]
    worker = ChildProcess([sys.executable, "-P", "-m", "services.replicator", *words], log=tmp_path / "log")
    yield worker
    worker.kill()


async def test_nothing_is_lost_when_a_worker_joins_and_dies(
    running_lab: Lab, table: str, second_worker: ChildProcess
) -> None:
    oracle = Oracle(running_lab, table, regions=regions)

    async def shares() -> bool:
        return '"workers": 2' in second_worker.log_text()

    async with oracle.load():
        await oracle.more(50)
        second_worker.start()
        assert await eventually(shares, patience_s=share_patience_s), second_worker.log_tail()
        await oracle.more(50)
        second_worker.kill()
        await oracle.more(50)
    assert all(tally.failed == 0 for tally in oracle.tallies.values())
    await assert_recovers(running_lab, oracle, table, regions=regions)
