"""The lab on Kafka under load: a broker that dies stops no writer, and what waited in the change log arrives later."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.lab.links import Link
from tests.faults import lags
from tests.faults.judgement import assert_recovers
from tests.faults.lab import Lab, regions, started_lab
from tests.faults.oracle import Oracle
from tests.faults.tables import replicated_table

us, eu, ap = regions


@pytest.fixture
def kafka_lab(tmp_path: Path) -> Iterator[Lab]:
    with started_lab(tmp_path / "lab", "--feed", "kafka") as lab:
        yield lab


@pytest.fixture
async def table(kafka_lab: Lab) -> AsyncIterator[str]:
    async with replicated_table(kafka_lab, patience_s=15) as name:
        yield name


async def test_a_dead_broker_stops_no_writer_and_what_waits_outlives_the_region(kafka_lab: Lab, table: str) -> None:
    """What is acknowledged while the broker is down is in the change log only, and no memory may be needed for it."""
    oracle = Oracle(kafka_lab, table, regions=regions)
    async with oracle.load():
        await oracle.more(50)
        await asyncio.to_thread(kafka_lab.run_well, "kill", f"kafka:{us}")
        await oracle.more(50)
        assert await lags.rise(kafka_lab, table, [Link(us, eu), Link(us, ap)])
        assert all(tally.failed == 0 for tally in oracle.tallies.values())
        await asyncio.to_thread(kafka_lab.run_well, "kill", us)
        await asyncio.to_thread(kafka_lab.run_well, "start", us)
        await oracle.more(50)
        await asyncio.to_thread(kafka_lab.run_well, "start", f"kafka:{us}")
        await oracle.more(50)
    assert [oracle.tallies[region].failed for region in (eu, ap)] == [0, 0]
    await assert_recovers(kafka_lab, oracle, table, regions=regions)
