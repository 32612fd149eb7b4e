"""The lab on Kafka under load: a broker that dies stops no writer, and what waited in the change log arrives later."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from services.lab.links import Link
from services.lab.tables import ensure_replicated_table
from tests.faults import lags
from tests.faults.judgement import assert_recovers
from tests.faults.lab import Lab, free_base_port, regions
from tests.faults.oracle import Oracle

us, eu, ap = regions


@pytest.fixture
def kafka_lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "lab", base_port=free_base_port())
    lab.up("--feed", "kafka")
    yield lab
    lab.down()


@pytest.fixture
async def table(kafka_lab: Lab) -> AsyncIterator[str]:
    name = f"t-{uuid4().hex}"
    async with AsyncExitStack() as stack:
        clients = [kafka_lab.client(region) for region in regions]
        for client in clients:
            stack.push_async_callback(client.close)
        await ensure_replicated_table(clients, name)
        assert await lags.vanish(kafka_lab, name, count=6, patience_s=15) == ""
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
